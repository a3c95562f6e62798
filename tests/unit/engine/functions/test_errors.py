from understudy.engine.functions import errors


def test_statuses_and_types_are_the_model_s() -> None:
    made = {
        "InvalidParameterValueException": (errors.invalid_parameter("x"), 400),
        "ResourceNotFoundException": (errors.not_found("x"), 404),
        "ResourceConflictException": (errors.conflict("x"), 409),
        "PreconditionFailedException": (errors.revision_mismatch(), 412),
        "TooManyRequestsException": (errors.throttled("x"), 429),
        "RequestTooLargeException": (errors.payload_too_large(1, "Event", 0), 413),
        "InvalidRequestContentException": (errors.bad_content("x"), 400),
    }
    for code, (error, status) in made.items():
        assert (error.code, error.status, error.fields["Type"]) == (code, status, "User")


def test_what_is_not_here_says_so() -> None:
    assert errors.not_here("SnapStart").message == "understudy does not support SnapStart"
