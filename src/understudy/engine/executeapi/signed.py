"""Who signed a request to an API with ``AWS_IAM``.

The signature is looked for and not verified: locally any key is valid.
"""

from collections.abc import Mapping

from understudy.engine import dispatch
from understudy.engine.executeapi.http import HttpRequest


def caller(request: HttpRequest) -> Mapping[str, str | None] | None:
    """Returns who signed, as events show it; None without a signature for ``execute-api``."""
    signed = dispatch.signature(dict(request.headers), request.query.encode("latin-1"))
    if signed is None or signed.service != "execute-api":
        return None
    account = dispatch.account_id(signed)
    return {
        "accessKey": signed.access_key,
        "accountId": account,
        "callerId": signed.access_key,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{account}:root",
        "userId": signed.access_key,
    }
