"""Derives ACK's field names from AWS's member names.

ACK's code generator splits a member into words, lower-cases the first and writes initialisms in capitals
(`KMSKeyArn` becomes `kmsKeyARN`). Doing the same over botocore's shapes gives the exact allow-list without
shipping the schemas; a test compares it with them. A looser match would accept `imageUri` here and have
the API server prune it there.
"""

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[A-Z][0-9]+|[0-9]+")

_INITIALISMS = frozenset(
    [
        "acl",
        "acp",
        "api",
        "arn",
        "aws",
        "cidr",
        "cors",
        "cpu",
        "csv",
        "dns",
        "ebs",
        "ecr",
        "eni",
        "http",
        "https",
        "iam",
        "id",
        "ip",
        "json",
        "jwt",
        "kms",
        "md5",
        "mfa",
        "os",
        "sdk",
        "sha",
        "sha256",
        "sns",
        "sql",
        "sqs",
        "sse",
        "ssl",
        "tls",
        "ttl",
        "uri",
        "url",
        "uuid",
        "vm",
        "vpc",
        "xml",
    ]
)
_PLURALS = {
    "acls": "ACLs",
    "arns": "ARNs",
    "apis": "APIs",
    "ids": "IDs",
    "ips": "IPs",
    "uris": "URIs",
    "urls": "URLs",
}

# What the generator does differently, for reasons of its own (NOTES 2.3).
_EXCEPTIONS = {"URI": "uRI"}


def field_name(member: str) -> str:
    """ACK's name of the botocore member `member`."""
    if member in _EXCEPTIONS:
        return _EXCEPTIONS[member]
    first, *others = _WORD.findall(member)
    return str(first).lower() + "".join(_word(str(word)) for word in others)


def _word(word: str) -> str:
    lower = word.lower()
    if lower in _PLURALS:
        return _PLURALS[lower]
    return word.upper() if lower in _INITIALISMS else word[0].upper() + word[1:]
