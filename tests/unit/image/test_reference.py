import pytest

from understudy.image import reference
from understudy.image.reference import Ref

D = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ubuntu", Ref(registry="docker.io", repository="library/ubuntu")),
        ("team/app:v1", Ref(registry="docker.io", repository="team/app", tag="v1")),
        ("docker.io/ubuntu", Ref(registry="docker.io", repository="library/ubuntu")),
        ("index.docker.io/team/app", Ref(registry="docker.io", repository="team/app")),
        ("localhost/app", Ref(registry="localhost", repository="app")),
        ("localhost:4566/app:v1", Ref(registry="localhost:4566", repository="app", tag="v1")),
        ("127.0.0.1:5000/a/b/c", Ref(registry="127.0.0.1:5000", repository="a/b/c")),
        (
            "public.ecr.aws/lambda/python:3.13",
            Ref(registry="public.ecr.aws", repository="lambda/python", tag="3.13"),
        ),
        (f"r.io/app@{D}", Ref(registry="r.io", repository="app", digest=D)),
        (f"r.io/app:v1@{D}", Ref(registry="r.io", repository="app", tag="v1", digest=D)),
        ("r.io/a--b__c.d_e", Ref(registry="r.io", repository="a--b__c.d_e")),
    ],
)
def test_docker_rules_fill_in_the_defaults(text: str, expected: Ref) -> None:
    parsed = reference.parse(text)
    assert parsed == expected
    assert reference.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "App",
        "a/B",
        "a:",
        "a:-x",
        "a:" + "t" * 129,
        "a//b",
        "/a",
        "a/",
        "a b",
        "-r.io/a",
        "r.io/" + "a" * 252,
        "a___b",
    ],
)
def test_what_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(reference.ReferenceInvalidError):
        reference.parse(text)


def test_digest_counts_before_tag_and_latest_is_the_last_resort() -> None:
    assert reference.parse(f"a:v1@{D}").selector == D
    assert reference.parse("a:v1").selector == "v1"
    assert reference.parse("a").selector == "latest"
    assert reference.parse("a:v1").name == "docker.io/library/a"
