"""The repository of dashboard configurations, over one DynamoDB table (its layout: `dashboard.items`).

Every write is a TransactWriteItems, also of one item: its idempotency token makes the SDK's own retry of a
write whose answer was lost succeed, where a conditional PutItem would report a conflict with itself.
"""

import base64
import binascii
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from dashboard import etags, items
from dashboard.clients import error_code, sdk_errors
from dashboard.errors import (
    ActiveLimitError,
    ConfigurationNotFoundError,
    ContentionError,
    InvalidCursorError,
    TableUnavailableError,
    VersionMismatchError,
)
from dashboard.model import ACTIVE_LIMIT, Change, Configuration, Page

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ATTEMPTS = 6
_BACKOFF_S = 0.02


class _ConditionError(Exception):
    """A transaction was cancelled because the condition of its item number `index` does not hold."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Configurations:
    """The configurations of all users; every method works within one user's partition."""

    def __init__(
        self,
        client: "Callable[[], DynamoDBClient]",
        table: Callable[[], str],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Keep the collaborators; nothing is asked of them before the first operation.

        Args:
            client: gives the DynamoDB client.
            table: gives the table's name, or raises if there is none.
            now: the clock.
            sleep: waits between attempts of a contended write.
        """
        self._client = client
        self._table = table
        self._now = now
        self._sleep = sleep

    def create(self, user: str, *, name: str, tickers: Sequence[str], active: bool) -> Configuration:
        """The new configuration, stored.

        Raises:
            ActiveLimitError: it would be active and the user has no slot left.
            TableUnavailableError: DynamoDB does not answer.
        """
        now = self._timestamp()
        configuration = Configuration(
            id=_new_id(now),
            name=name,
            tickers=tuple(tickers),
            active=active,
            version=1,
            created_at=now,
            updated_at=now,
        )
        actions = [items.put(self._table(), user, configuration, replacing=None)]
        if active:
            actions.append(items.take_slot(self._table(), user, configuration.id))
        try:
            self._transact(actions)
        except _ConditionError as error:
            raise _active_limit() from error
        return configuration

    def get(self, user: str, configuration_id: str) -> Configuration:
        """The configuration as it is now.

        Raises:
            ConfigurationNotFoundError: this user has none of that id.
            TableUnavailableError: DynamoDB does not answer.
        """
        if not _ID.fullmatch(configuration_id):
            raise _not_found()
        with _translated():
            answer = self._client().get_item(
                TableName=self._table(),
                Key=items.key(user, configuration_id),
                ConsistentRead=True,
            )
        item = answer.get("Item")
        if item is None:
            raise _not_found()
        return items.parse(item)

    def page(self, user: str, *, limit: int, cursor: str | None) -> Page:
        """Up to `limit` of the user's configurations, those after the cursor.

        Raises:
            InvalidCursorError: the cursor is none of ours.
            TableUnavailableError: DynamoDB does not answer.
        """
        start = {"ExclusiveStartKey": items.key(user, _parse_cursor(cursor))} if cursor else {}
        with _translated():
            answer = self._client().query(
                TableName=self._table(),
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues={
                    ":pk": {"S": items.partition(user)},
                    ":prefix": {"S": items.PREFIX},
                },
                ConsistentRead=True,
                # One more than asked for tells whether there is a next page: a bare LastEvaluatedKey
                # may lead to an empty one.
                Limit=limit + 1,
                **start,  # type: ignore[arg-type] # mypy cannot match a conditional TypedDict member
            )
        found = tuple(items.parse(item) for item in answer["Items"])
        shown = found[:limit]
        more = len(found) > limit or ("LastEvaluatedKey" in answer and bool(shown))
        return Page(items=shown, cursor=_cursor(shown[-1].id) if more else None)

    def change(
        self, user: str, configuration_id: str, change: Change, *, if_match: str | None = None
    ) -> Configuration:
        """The configuration with the change stored; one that changes nothing keeps its version.

        Without `if_match` the change is applied to whatever is current, and applied again when another
        write comes between: it touches only the fields that it names, so nothing unseen is lost.

        Raises:
            ConfigurationNotFoundError: this user has none of that id.
            VersionMismatchError: `if_match` does not name the stored version.
            ActiveLimitError: it would become active and the user has no slot left.
            ContentionError: other writes kept coming between.
            TableUnavailableError: DynamoDB does not answer.
        """
        for attempt in range(_ATTEMPTS):
            current = self.get(user, configuration_id)
            _check_precondition(if_match, current)
            wanted = change.applied_to(current)
            if wanted == current:
                return current
            wanted = replace(wanted, version=current.version + 1, updated_at=self._timestamp())
            actions = [items.put(self._table(), user, wanted, replacing=current)]
            if wanted.active and not current.active:
                actions.append(items.take_slot(self._table(), user, wanted.id))
            if current.active and not wanted.active:
                actions.append(items.free_slot(self._table(), user, wanted.id))
            try:
                self._transact(actions)
            except _ConditionError as error:
                if error.index == 1:
                    raise _active_limit() from error
                self._back_off(attempt)
                continue
            return wanted
        raise _contention()

    def delete(self, user: str, configuration_id: str, *, if_match: str | None = None) -> None:
        """Remove the configuration and free its slot.

        Raises:
            ConfigurationNotFoundError: this user has none of that id.
            VersionMismatchError: `if_match` does not name the stored version.
            ContentionError: other writes kept coming between.
            TableUnavailableError: DynamoDB does not answer.
        """
        for attempt in range(_ATTEMPTS):
            current = self.get(user, configuration_id)
            _check_precondition(if_match, current)
            actions = [items.remove(self._table(), user, current)]
            if current.active:
                actions.append(items.free_slot(self._table(), user, current.id))
            try:
                self._transact(actions)
            except _ConditionError:
                self._back_off(attempt)
                continue
            return
        raise _contention()

    def check(self) -> None:
        """Make sure that the table answers and is in service.

        Raises:
            TableUnavailableError: it does not or is not.
        """
        with _translated():
            status = self._client().describe_table(TableName=self._table())["Table"]["TableStatus"]
        if status not in {"ACTIVE", "UPDATING"}:
            raise TableUnavailableError(f"The table is {status}.")

    def _timestamp(self) -> datetime:
        """Now, to the millisecond: what is stored is what was answered."""
        now = self._now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def _transact(self, actions: "list[TransactWriteItemTypeDef]") -> None:
        """Do all of the actions or none.

        Raises:
            _ConditionError: a condition does not hold.
            ContentionError: transactions on the same items kept coming between.
            TableUnavailableError: DynamoDB does not answer.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with _translated():
                    self._client().transact_write_items(TransactItems=actions)
            except TableUnavailableError as error:
                reasons = _cancellation_reasons(error.__cause__)
                if "ConditionalCheckFailed" in reasons:
                    raise _ConditionError(reasons.index("ConditionalCheckFailed")) from error
                if "TransactionConflict" not in reasons:
                    raise
                # The SDK does not try a conflict again: it cannot know that the actions still make sense.
                self._back_off(attempt)
                continue
            return
        raise _contention()

    def _back_off(self, attempt: int) -> None:
        """Wait a random while that grows with the attempts ("full jitter")."""
        self._sleep(random.uniform(0, _BACKOFF_S * 2**attempt))  # noqa: S311 - no secret depends on it


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    try:
        yield
    except sdk_errors() as error:
        raise TableUnavailableError(f"The table does not serve the request ({error_code(error)}).") from error


def _cancellation_reasons(error: BaseException | None) -> list[str]:
    """Why a transaction was cancelled, one code per action in order ("None" for those that were fine)."""
    # Not every error of the SDK has a response: that of a timeout is None.
    response = getattr(error, "response", None) or {}
    return [str(reason.get("Code")) for reason in response.get("CancellationReasons", ())]


def _check_precondition(if_match: str | None, current: Configuration) -> None:
    if if_match is not None and not etags.if_match(if_match, current.version):
        raise VersionMismatchError(
            "The configuration has changed: If-Match does not name its current ETag.",
            headers={"ETag": etags.render(current.version)},
        )


def _not_found() -> ConfigurationNotFoundError:
    return ConfigurationNotFoundError("There is no such configuration.")


def _active_limit() -> ActiveLimitError:
    return ActiveLimitError(
        f"At most {ACTIVE_LIMIT} configurations can be active at a time; deactivate or delete one first.",
        extensions={"limit": ACTIVE_LIMIT},
    )


def _contention() -> ContentionError:
    return ContentionError("Other writes to this user's configurations kept coming between.")


def _new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random; it sorts by creation."""
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


def _cursor(configuration_id: str) -> str:
    """The opaque cursor of the page after a configuration."""
    return base64.urlsafe_b64encode(UUID(configuration_id).bytes).decode().rstrip("=")


def _parse_cursor(cursor: str) -> str:
    """The id of the configuration that the cursor stands after."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        configuration_id = str(UUID(bytes=raw))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursorError("The cursor is not one that this list returned.") from error
    if not _ID.fullmatch(configuration_id) or _cursor(configuration_id) != cursor:
        raise InvalidCursorError("The cursor is not one that this list returned.")
    return configuration_id
