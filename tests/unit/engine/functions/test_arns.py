import pytest

from understudy.engine.functions import arns
from understudy.engine.protocol import ApiError


def test_a_resource_keeps_its_colons() -> None:
    arn = arns.parse("arn:aws:lambda:eu-west-1:123456789012:function:dash:live")
    assert (arn.service, arn.region, arn.account_id) == ("lambda", "eu-west-1", "123456789012")
    assert arn.resource == "function:dash:live"


def test_a_bucket_names_neither_region_nor_account() -> None:
    arn = arns.parse("arn:aws:s3:::tickers")
    assert (arn.region, arn.account_id, arn.resource) == ("", "", "tickers")


@pytest.mark.parametrize("text", ["", "queue", "arn:aws:sqs", "arn:aws::r:a:x", "arn:aws:sqs:r:a:"])
def test_refuses_what_is_no_arn(text: str) -> None:
    with pytest.raises(ApiError, match="not valid"):
        arns.parse(text)
