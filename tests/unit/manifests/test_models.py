import pytest
from botocore.loaders import Loader

from understudy.manifests import kinds, models


@pytest.mark.parametrize("service", sorted({kind.service for kind in kinds.KINDS.values()}))
def test_a_model_is_what_botocore_loads(service: str) -> None:
    # Read anew: clients of other tests have written into what they were given.
    read = models.load.__wrapped__(service)
    assert read.document == Loader().load_service_model(service, "service-2")


def test_a_shape_names_its_members_and_elements() -> None:
    lambda_ = models.load("lambda")
    function = lambda_.input_of("CreateFunction")
    assert (function.type, "FunctionName" in function.required) == ("structure", True)
    assert lambda_.shape(function.members["Architectures"]).element == "Architecture"
    variables = lambda_.shape(lambda_.shape(function.members["Environment"]).members["Variables"])
    assert (variables.type, lambda_.shape(variables.element).type) == ("map", "string")


def test_a_model_is_read_once() -> None:
    assert models.load("logs") is models.load("logs")


def test_an_unknown_service_is_told() -> None:
    with pytest.raises(LookupError, match="lamda"):
        models.load("lamda")
