import pytest

from understudy.engine.executeapi import access_log
from understudy.engine.protocol import ApiError

GROUP = "arn:aws:logs:us-east-1:000000000000:log-group:api/access"


@pytest.mark.parametrize(
    ("format_", "line"),
    [
        (
            '$context.identity.sourceIp - [$context.requestTime] "$context.httpMethod" $context.status.',
            '127.0.0.1 - [02/Jan/2026:03:04:05 +0000] "GET" 200.',
        ),
        ('{"id":"$context.requestId","claim":"$context.authorizer.claims.sub"}\n', '{"id":"r","claim":"-"}'),
    ],
    ids=["clf", "json"],
)
def test_variables_are_replaced_and_unknown_ones_are_dashes(format_: str, line: str) -> None:
    context = {
        "identity.sourceIp": "127.0.0.1",
        "requestTime": access_log.clf_time(1767323045),
        "httpMethod": "GET",
        "status": 200,
        "requestId": "r",
    }

    assert access_log.render(format_, context) == line


@pytest.mark.parametrize(
    ("destination", "format_", "said"),
    [
        ("arn:aws:firehose:us-east-1:000000000000:deliverystream/x", "$context.requestId", "log groups only"),
        (GROUP, "a\n$context.requestId", "single line"),
        (GROUP, "$context.status", "requestId"),
    ],
)
def test_what_cannot_be_logged_is_refused(destination: str, format_: str, said: str) -> None:
    with pytest.raises(ApiError, match=said):
        access_log.check(destination, format_)


def test_a_line_goes_to_the_group_of_its_arn() -> None:
    written: list[tuple[object, ...]] = []

    def append(group: str, stream: str, events: object, *, account_id: str, region: str) -> None:
        written.append((group, stream, account_id, region, events))

    access_log.AccessLog(append).write(f"{GROUP}:*", "$context.stage", "api/dev", {"stage": "dev"})

    ((group, stream, account_id, region, events),) = written
    assert (group, stream, account_id, region) == ("api/access", "api/dev", "000000000000", "us-east-1")
    assert [text for _, text in events] == ["dev"]  # type: ignore[attr-defined]
