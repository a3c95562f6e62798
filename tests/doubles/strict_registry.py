"""The door of ECR's registry: nobody comes in without a token of the account, and tokens end."""

import base64
import json

from tests.doubles.server import Forward
from tests.doubles.strict_rules import PassingRule
from tests.doubles.strict_states import succeeded
from tests.doubles.wire import Call, Message


class RegistryTokens(PassingRule):
    """Every registry request carries a token that GetAuthorizationToken gave and that has not ended.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html#registry-auth-http-api
    (Basic, user AWS, valid for 12 hours; here for a number of requests). The registry is addressed by its
    account's own host name, https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html.
    """

    def __init__(self, requests: int) -> None:
        self._requests = requests
        self._left: dict[str, int] = {}

    async def before(self, call: Call, forward: Forward) -> Message | None:
        """Answers 401 without a good token."""
        path = call.request.target.partition("?")[0]
        if call.service or not (path == "/v2/" or path.startswith("/v2/")):
            return None
        host = call.request.header("host") or ""
        password = _password(call.request.header("authorization") or "")
        if ".dkr.ecr." in host and self._left.get(password, 0) > 0:
            self._left[password] -= 1
            return None
        return Message(
            start="HTTP/1.1 401 Unauthorized",
            headers=(
                ("www-authenticate", f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'),
                ("content-type", "text/plain; charset=utf-8"),
            ),
            body=b"" if call.request.method == "HEAD" else b"Not Authorized\n",
        )

    def after(self, call: Call, answer: Message) -> Message:
        """Remembers the tokens that were given."""
        if call.operation == "GetAuthorizationToken" and succeeded(answer):
            for one in json.loads(answer.body)["authorizationData"]:
                token = base64.b64decode(one["authorizationToken"]).decode()
                self._left[token.partition(":")[2]] = self._requests
        return answer


def _password(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme != "Basic":
        return ""
    return base64.b64decode(value).decode().partition(":")[2]
