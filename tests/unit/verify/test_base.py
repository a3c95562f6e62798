import pytest

from tests.fakes import image_files
from understudy.verify import base
from understudy.verify.report import Base

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n'


def test_a_stand_in_says_what_it_stands_for() -> None:
    looked = image_files.subject(
        config={"labels": {base.STAND_IN_LABEL: "public.ecr.aws/lambda/python:3.13"}}
    )
    assert base.of(looked) == Base(kind="stand-in", name="public.ecr.aws/lambda/python:3.13")


def test_aws_s_base_is_amazon_linux_with_the_runtime() -> None:
    assert base.of(image_files.subject()).kind == "aws"


@pytest.mark.parametrize(
    ("release", "name"),
    [
        (DEBIAN, "Debian GNU/Linux 12 (bookworm)"),
        ('NAME="Only a name"\n# comment\nnonsense\n', "Only a name"),
        ("PRETTY_NAME='broken\n", "'broken"),
        ("", ""),
    ],
    ids=["debian", "name", "broken-quotes", "empty"],
)
def test_another_base_is_named_by_its_release_file(release: str, name: str) -> None:
    looked = image_files.subject({"/etc/os-release": release}, base=False)
    assert base.of(looked) == Base(kind="other", name=name)


def test_a_base_without_release_file_has_no_name() -> None:
    assert base.of(image_files.subject({"/bin/x": ""}, base=False)) == Base(kind="other")
