import pytest

from understudy.errors import UnderstudyError
from understudy.manifests import kinds, schema
from understudy.reconcile import managers


def test_every_kind_has_a_manager_and_no_manager_lacks_a_kind() -> None:
    assert set(managers.MANAGERS) == set(kinds.KINDS)


# ACK has no field for it: it comes from an annotation.
ANNOTATED = {"FunctionURLConfig": {"invokeMode"}}


@pytest.mark.parametrize("kind", managers.MANAGERS)
def test_fields_of_a_manager_are_fields_of_its_kind(kind: str) -> None:
    manager = managers.of(kind)
    fields = schema.spec_of(kind).members.keys() | ANNOTATED.get(kind, set())
    assert manager.supported <= fields
    assert manager.immutable <= manager.supported
    assert set(manager.defaults) <= manager.supported
    assert set(kinds.KINDS[kind].required) <= manager.supported


def test_unknown_kind_is_an_error() -> None:
    with pytest.raises(UnderstudyError, match="kind Cluster has no manager"):
        managers.of("Cluster")
