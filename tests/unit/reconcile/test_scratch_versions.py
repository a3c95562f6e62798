from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes.aws import Answer, Refusal, ScriptedAws
from understudy.errors import UnderstudyError
from understudy.reconcile import scratch_versions
from understudy.reconcile.scratch_versions import DESCRIPTION, VARIABLE

OWN = {"STAGE": "live"}


class Function:
    """A function whose writes are seen by its reads, with an own version 1."""

    def __init__(self, **answers: Answer | Refusal | list[Answer | Refusal]) -> None:
        self.variables = dict(OWN)
        self.versions = {"1": "git abc"}
        self._next = 2
        self.fake = ScriptedAws(
            {
                "GetFunctionConfiguration": self._read,
                "UpdateFunctionConfiguration": self._write,
                "PublishVersion": self._publish,
                "ListVersionsByFunction": self._list,
                "DeleteFunction": self._delete,
                **answers,
            }
        )

    def _read(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "FunctionName": "shop",
            "CodeSha256": "aa",
            "RevisionId": "r",
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "Environment": {"Variables": self.variables},
        }

    def _write(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert params["RevisionId"] == "r"
        self.variables = params["Environment"]["Variables"]
        return {}

    def _publish(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        number = str(self._next)
        self._next += 1
        self.versions[number] = params["Description"]
        return {"Version": number}

    def _list(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        listed = [{"Version": number, "Description": text} for number, text in self.versions.items()]
        return {"Versions": [{"Version": "$LATEST", "Description": DESCRIPTION}, *listed]}

    def _delete(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        del self.versions[params["Qualifier"]]
        return {}

    @property
    def is_as_it_was(self) -> bool:
        """Whether only what was there before is there."""
        return (self.variables, self.versions) == (OWN, {"1": "git abc"})


def test_each_version_has_a_nonce_of_its_own_and_nothing_stays() -> None:
    function = Function()

    with scratch_versions.held(function.fake.aws, "shop", "aa") as scratch:
        assert [scratch.publish("n1"), scratch.publish("n2")] == ["2", "3"]
        assert function.variables == {**OWN, VARIABLE: "n2"}
        published = function.fake.params("PublishVersion")

    assert (published["Description"], published["CodeSha256"]) == (DESCRIPTION, "aa")
    assert function.is_as_it_was


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_stays_when_the_block_ends_early(error: type[BaseException]) -> None:
    function = Function()

    def cut_short() -> None:
        with scratch_versions.held(function.fake.aws, "shop", "aa") as scratch:
            scratch.publish("n")
            raise error

    with pytest.raises(error):
        cut_short()
    assert function.is_as_it_was


def test_what_another_process_left_is_cleared_first() -> None:
    function = Function()
    function.variables[VARIABLE] = "n"
    function.versions["7"] = DESCRIPTION

    with scratch_versions.held(function.fake.aws, "shop", "aa"):
        assert function.is_as_it_was


def test_a_version_that_the_list_does_not_show_yet_is_deleted() -> None:
    function = Function(ListVersionsByFunction={"Versions": []})
    with scratch_versions.held(function.fake.aws, "shop", "aa") as scratch:
        scratch.publish("n")
    assert function.is_as_it_was


def test_versions_are_deleted_even_if_the_variable_cannot_be_put_back() -> None:
    function = Function()
    function.variables[VARIABLE] = "n"
    function.versions["7"] = DESCRIPTION
    changed = Refusal(code="PreconditionFailedException", status=412)
    broken = Function(UpdateFunctionConfiguration=changed)
    broken.variables, broken.versions = function.variables, function.versions

    with pytest.raises(UnderstudyError, match="was changed by somebody else"):
        scratch_versions.clear(broken.fake.aws, "shop")

    assert broken.versions == {"1": "git abc"}
    assert broken.fake.writes.count("UpdateFunctionConfiguration") == 4


def test_a_function_without_anything_of_ours_is_not_written_to() -> None:
    function = Function()
    scratch_versions.clear(function.fake.aws, "shop")
    assert function.fake.writes == []


def test_variables_that_cannot_be_read_are_never_written() -> None:
    error = {"Error": {"ErrorCode": "AccessDenied", "Message": "no kms:Decrypt"}}
    function = Function(GetFunctionConfiguration={"FunctionName": "shop", "Environment": error})
    with (
        pytest.raises(UnderstudyError, match="cannot be read: no kms:Decrypt"),
        scratch_versions.held(function.fake.aws, "shop", "aa"),
    ):
        raise AssertionError("the block must not run")
    assert function.fake.writes == []
