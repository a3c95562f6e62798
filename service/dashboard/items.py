"""The items of the table and the actions on them, as DynamoDB's API wants them; no I/O.

Table (`pk` and `sk` are strings; there are no secondary indexes):

- A configuration: pk `USER#<user>`, sk `CONFIGURATION#<id>`; name S, tickers L of S, active BOOL,
  version N, created_at S, updated_at S (ISO 8601, milliseconds, UTC).
- A user's slots: pk `USER#<user>`, sk `SLOTS`; active_ids SS, the ids of the active configurations.

Why so:

- Every key is made from the user id, so no id, cursor or filter that a client makes up can reach another
  tenant's items.
- Ids are UUIDv7: the sort key orders a user's configurations by creation.
- The limit of active configurations is a condition on the slots item, which is written in the same
  transaction as the configuration. A set of ids, not a counter: adding or removing an id twice does no
  harm, so it cannot drift.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dashboard.model import ACTIVE_LIMIT, Configuration

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PREFIX = "CONFIGURATION#"
"""What the sort keys of configurations begin with."""


def partition(user: str) -> str:
    """The partition key of all of a user's items."""
    return f"USER#{user}"


def key(user: str, configuration_id: str) -> dict[str, Any]:
    """The key of a configuration."""
    return _key(user, PREFIX + configuration_id)


def parse(item: Mapping[str, Any]) -> Configuration:
    """The configuration that an item holds."""
    return Configuration(
        id=item["sk"]["S"].removeprefix(PREFIX),
        name=item["name"]["S"],
        tickers=tuple(ticker["S"] for ticker in item["tickers"]["L"]),
        active=item["active"]["BOOL"],
        version=int(item["version"]["N"]),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
    )


def put(
    table: str, user: str, configuration: Configuration, *, replacing: Configuration | None
) -> "TransactWriteItemTypeDef":
    """The action that stores a configuration, as a new one or in place of `replacing`."""
    item = key(user, configuration.id) | {
        "name": {"S": configuration.name},
        "tickers": {"L": [{"S": ticker} for ticker in configuration.tickers]},
        "active": {"BOOL": configuration.active},
        "version": {"N": str(configuration.version)},
        "created_at": {"S": configuration.created_at.isoformat(timespec="milliseconds")},
        "updated_at": {"S": configuration.updated_at.isoformat(timespec="milliseconds")},
    }
    if replacing is None:
        return {
            "Put": {
                "TableName": table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
    return {
        "Put": {
            "TableName": table,
            "Item": item,
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":version": {"N": str(replacing.version)}},
        }
    }


def remove(table: str, user: str, current: Configuration) -> "TransactWriteItemTypeDef":
    """The action that removes a configuration if its version is still that of `current`."""
    return {
        "Delete": {
            "TableName": table,
            "Key": key(user, current.id),
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":version": {"N": str(current.version)}},
        }
    }


def take_slot(table: str, user: str, configuration_id: str) -> "TransactWriteItemTypeDef":
    """The action that makes a configuration active if the user has a slot left."""
    return {
        "Update": {
            "TableName": table,
            "Key": _key(user, "SLOTS"),
            "UpdateExpression": "ADD active_ids :ids",
            "ConditionExpression": "attribute_not_exists(active_ids) OR size(active_ids) < :limit",
            "ExpressionAttributeValues": {
                ":ids": {"SS": [configuration_id]},
                ":limit": {"N": str(ACTIVE_LIMIT)},
            },
        }
    }


def free_slot(table: str, user: str, configuration_id: str) -> "TransactWriteItemTypeDef":
    """The action that gives the slot of a configuration back."""
    return {
        "Update": {
            "TableName": table,
            "Key": _key(user, "SLOTS"),
            "UpdateExpression": "DELETE active_ids :ids",
            "ExpressionAttributeValues": {":ids": {"SS": [configuration_id]}},
        }
    }


def _key(user: str, sort: str) -> dict[str, Any]:
    return {"pk": {"S": partition(user)}, "sk": {"S": sort}}
