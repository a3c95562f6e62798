import pytest

from tests.unit.reconcile.builders import desired
from understudy.manifests.model import Json
from understudy.reconcile.errors import AmbiguousError
from understudy.reconcile.services import api_search
from understudy.reconcile.services.api_search import Listed

OWN: Json = {"understudy.dev/stack": "p", "understudy.dev/resource": "API.web"}


def listed(name: str, number: str, **tags: str) -> Listed:
    return Listed(
        id=number, name=name, tags={f"understudy.dev/{key}": tag for key, tag in tags.items()}, answer={}
    )


WANTED = desired("API/web", {"name": "web", "tags": OWN})
OURS = {"stack": "p", "resource": "API.web"}


def ids(*apis: Listed) -> list[str]:
    return [one.id for one in api_search.meant(apis, WANTED)]


def test_tags_say_more_than_names() -> None:
    assert ids(listed("web", "1"), listed("renamed", "2", **OURS)) == ["2"]


def test_name_decides_between_those_with_our_tags() -> None:
    assert ids(listed("web", "1", **OURS), listed("renamed", "2", **OURS)) == ["1"]


def test_name_decides_where_no_tags_do() -> None:
    assert ids(listed("web", "1"), listed("web", "2", stack="other"), listed("other", "3")) == ["1"]


def test_nobody_is_meant_where_none_has_tags_or_name() -> None:
    assert api_search.only([listed("other", "1")], WANTED) is None


def test_several_are_an_error_that_says_how_to_choose() -> None:
    with pytest.raises(AmbiguousError) as raised:
        api_search.only([listed("web", "2"), listed("web", "1")], WANTED)
    assert "1, 2" in raised.value.message
    assert raised.value.hint is not None
    assert "understudy.dev/resource=API.web" in raised.value.hint
