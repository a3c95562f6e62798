"""The repository: a model-based property test, and the answers that only a scripted DynamoDB gives."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from dashboard.clients import Clients
from dashboard.configurations import Configurations
from dashboard.errors import (
    ActiveLimitError,
    ConfigurationNotFoundError,
    ContentionError,
    TableUnavailableError,
    VersionMismatchError,
)
from dashboard.model import ACTIVE_LIMIT, Change, Configuration
from fakes import ScriptedDynamoDB

TABLE = "configurations"
ID = "01a2053e-daf8-7c4f-b23e-504075577e11"
USERS = st.sampled_from(["alice", "bob"])


class Users(RuleBasedStateMachine):
    """Whatever two users do, the repository does what a dictionary would."""

    clients: ClassVar[Clients]
    numbers: ClassVar[Iterator[int]] = itertools.count()

    created = Bundle("created")

    def __init__(self) -> None:
        super().__init__()
        self.repository = Configurations(self.clients.dynamodb, lambda: TABLE, sleep=lambda _: None)
        self.run = f"run{next(self.numbers)}"
        self.model: dict[str, dict[str, Configuration]] = {"alice": {}, "bob": {}}

    def active(self, user: str) -> int:
        return sum(configuration.active for configuration in self.model[user].values())

    @rule(target=created, user=USERS, active=st.booleans())
    def create(self, user: str, active: bool) -> tuple[str, str]:
        full = active and self.active(user) >= ACTIVE_LIMIT
        try:
            made = self.repository.create(f"{self.run}-{user}", name="n", tickers=["AAPL"], active=active)
        except ActiveLimitError:
            assert full
            return user, ID
        assert not full
        self.model[user][made.id] = made
        return user, made.id

    @rule(key=created, user=USERS, active=st.none() | st.booleans(), stale=st.booleans())
    def change(self, key: tuple[str, str], user: str, active: bool | None, stale: bool) -> None:
        before = self.model[user].get(key[1])
        name = f"n{next(self.numbers)}"
        if_match = None if before is None else f'"{before.version - stale}"'
        activates = bool(before and active and not before.active)
        try:
            after = self.repository.change(
                f"{self.run}-{user}", key[1], Change(name=name, active=active), if_match=if_match
            )
        except ConfigurationNotFoundError:
            assert before is None
        except VersionMismatchError:
            assert stale
        except ActiveLimitError:
            assert activates
            assert self.active(user) >= ACTIVE_LIMIT
        else:
            assert before is not None
            assert (after.name, after.version) == (name, before.version + 1)
            self.model[user][after.id] = after

    @rule(key=consumes(created), user=USERS)
    def delete(self, key: tuple[str, str], user: str) -> None:
        try:
            self.repository.delete(f"{self.run}-{user}", key[1])
        except ConfigurationNotFoundError:
            assert key[1] not in self.model[user]
        else:
            del self.model[user][key[1]]

    @rule(user=USERS, limit=st.integers(1, 4))
    def walk(self, user: str, limit: int) -> None:
        found: list[Configuration] = []
        cursor: str | None = None
        for _ in range(len(self.model[user]) + 1):
            page = self.repository.page(f"{self.run}-{user}", limit=limit, cursor=cursor)
            found += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert cursor is None
        assert {item.id: item for item in found} == self.model[user]
        assert [item.id for item in found] == sorted(self.model[user])

    @invariant()
    def limit_holds(self) -> None:
        assert self.active("alice") <= ACTIVE_LIMIT
        assert self.active("bob") <= ACTIVE_LIMIT


def test_two_users_whatever_they_do(aws: Clients) -> None:
    run_state_machine_as_test(
        type("UsersOfMoto", (Users,), {"clients": aws}),
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def cancelled(*codes: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
            "CancellationReasons": [{"Code": code} for code in codes],  # type: ignore[typeddict-unknown-key]
        },
        "TransactWriteItems",
    )


def stored(version: int = 1, *, active: bool = False) -> dict[str, Any]:
    return {
        "Item": {
            "pk": {"S": "USER#alice"},
            "sk": {"S": f"CONFIGURATION#{ID}"},
            "name": {"S": "Tech"},
            "tickers": {"L": [{"S": "AAPL"}]},
            "active": {"BOOL": active},
            "version": {"N": str(version)},
            "created_at": {"S": "2026-01-01T00:00:00.000+00:00"},
            "updated_at": {"S": "2026-01-01T00:00:00.000+00:00"},
        }
    }


class Scripted:
    """A repository over a script, and how long it slept."""

    def __init__(self, *steps: Any) -> None:
        self.client: Any = ScriptedDynamoDB(*steps)
        self.slept: list[float] = []
        self.repository = Configurations(
            lambda: self.client,
            lambda: TABLE,
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC),
            sleep=self.slept.append,
        )

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.client.calls]


def test_a_transaction_conflict_is_tried_again_after_a_pause() -> None:
    s = Scripted(cancelled("None", "TransactionConflict"), {})
    s.repository.create("alice", name="n", tickers=["AAPL"], active=True)
    assert s.calls == ["transact_write_items"] * 2
    assert len(s.slept) == 1


def test_endless_conflicts_end_in_a_contention_error() -> None:
    s = Scripted(*[cancelled("TransactionConflict")] * 6)
    with pytest.raises(ContentionError):
        s.repository.create("alice", name="n", tickers=["AAPL"], active=False)
    assert sum(s.slept) < 1.3


def test_a_change_is_applied_again_when_another_write_came_between() -> None:
    s = Scripted(stored(1), cancelled("ConditionalCheckFailed"), stored(5), {})
    assert s.repository.change("alice", ID, Change(name="New")).version == 6


def test_a_conditional_change_is_not_applied_again_over_another_write() -> None:
    s = Scripted(stored(1), cancelled("ConditionalCheckFailed"), stored(2))
    with pytest.raises(VersionMismatchError):
        s.repository.change("alice", ID, Change(name="New"), if_match='"1"')


def test_a_change_of_what_was_deleted_meanwhile_finds_nothing() -> None:
    s = Scripted(stored(1), cancelled("ConditionalCheckFailed"), {})
    with pytest.raises(ConfigurationNotFoundError):
        s.repository.change("alice", ID, Change(name="New"))


def test_both_conditions_failing_is_a_version_conflict_first() -> None:
    s = Scripted(stored(1), cancelled("ConditionalCheckFailed", "ConditionalCheckFailed"), stored(2), {})
    assert s.repository.change("alice", ID, Change(active=True)).version == 3


def test_changes_and_deletions_that_never_get_through_end_in_a_contention_error() -> None:
    steps = [stored(1), cancelled("ConditionalCheckFailed")] * 6
    with pytest.raises(ContentionError):
        Scripted(*steps).repository.change("alice", ID, Change(name="New"))
    with pytest.raises(ContentionError):
        Scripted(*steps).repository.delete("alice", ID)


@pytest.mark.parametrize("active", [False, True])
def test_deleting_frees_the_slot_only_if_there_is_one(active: bool) -> None:
    s = Scripted(stored(1, active=active), {})
    s.repository.delete("alice", ID)
    assert len(s.client.calls[-1][1]["TransactItems"]) == 1 + active


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "Query"), "Throttling"),
        (ReadTimeoutError(endpoint_url="http://x"), "ReadTimeoutError"),
        (cancelled("None", "ThrottlingError"), "TransactionCanceledException"),
    ],
)
def test_other_failures_of_dynamodb_make_the_table_unavailable(error: Exception, text: str) -> None:
    with pytest.raises(TableUnavailableError, match=text):
        Scripted(error).repository.create("alice", name="n", tickers=["AAPL"], active=True)
    with pytest.raises(TableUnavailableError):
        Scripted(error).repository.page("alice", limit=1, cursor=None)


@pytest.mark.parametrize(("status", "ready"), [("ACTIVE", True), ("UPDATING", True), ("CREATING", False)])
def test_a_table_in_the_making_is_not_ready(status: str, ready: bool) -> None:
    repository = Scripted({"Table": {"TableStatus": status}}).repository
    if ready:
        repository.check()
    else:
        with pytest.raises(TableUnavailableError, match=status):
            repository.check()


def test_a_page_cut_short_by_dynamodb_leads_on() -> None:
    s = Scripted({"Items": [stored()["Item"]], "LastEvaluatedKey": {"pk": {"S": "x"}}}, {"Items": []})
    page = s.repository.page("alice", limit=5, cursor=None)
    assert len(page.items) == 1
    assert page.cursor is not None
    assert s.repository.page("alice", limit=5, cursor=page.cursor).cursor is None
    assert s.client.calls[1][1]["ExclusiveStartKey"]["sk"] == {"S": f"CONFIGURATION#{ID}"}


def test_ids_sort_by_creation() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    ids = []
    for step in range(20):
        repository = Configurations(
            lambda: ScriptedDynamoDB({}),  # type: ignore[arg-type, return-value] # a stand-in
            lambda: TABLE,
            now=lambda: begin + timedelta(milliseconds=step),  # noqa: B023 - called within the iteration
        )
        ids.append(repository.create("u", name="n", tickers=["AAPL"], active=False).id)
    assert ids == sorted(set(ids))
