"""An issuer of JSON Web Tokens without a network: keys, configuration, tokens."""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """Signs tokens, and answers the two documents that lead to its key; counts how often it was asked."""

    def __init__(self, url: str = "https://idp.example") -> None:
        self.url = url
        self.fetched: list[str] = []

    def documents(self) -> dict[str, bytes]:
        """What it publishes, by path."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_KEY.public_key()))
        return {
            "/.well-known/openid-configuration": json.dumps({"jwks_uri": f"{self.url}/keys"}).encode(),
            "/keys": json.dumps({"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]}).encode(),
        }

    async def fetch(self, url: str) -> bytes:
        """Answers like HTTP."""
        self.fetched.append(url)
        found = self.documents().get(url.removeprefix(self.url))
        if found is None:
            raise OSError(f"{url} answers 404")
        return found

    def token(self, *, kid: str = "one", forged: bool = False, **claims: Any) -> str:
        """A token for audience `web`, good for a minute, with these claims instead of its own."""
        whole = {"iss": self.url, "aud": "web", "exp": int(time.time()) + 60, "sub": "ann", **claims}
        kept = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(kept, _OTHER if forged else _KEY, algorithm="RS256", headers={"kid": kid})
