"""The kinds of ACK resources that a stack may hold, and how each departs from its AWS operation.

A kind's fields are the input members of its create operation, named as ACK names them, minus `absent`
(what ACK does not offer), plus `extra` (what AWS sets by another call). The rest of the departures are
listed row by row, from NOTES 2.2; an unknown kind is an error, never a guess.
"""

from collections.abc import Mapping
from types import MappingProxyType

from understudy.manifests import kinds_gateway, kinds_lambda, kinds_messaging, kinds_storage
from understudy.manifests.kind import Kind

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            *kinds_storage.KINDS,
            *kinds_messaging.KINDS,
            *kinds_lambda.KINDS,
            *kinds_gateway.KINDS,
        )
    }
)


def of_document(kind: str, api_version: str) -> Kind | None:
    """The kind that a document means by `kind` and `apiVersion`.

    Where no group has that kind and version, the first kind of that name, so that an error can say which
    version was meant; None when no group has a kind of that name.
    """
    found = [known for known in KINDS.values() if known.kind == kind]
    exact = [known for known in found if known.api_version == api_version]
    return next(iter(exact or found), None)
