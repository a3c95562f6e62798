import ast

import pytest

from understudy.targets.init import keys
from understudy.targets.init.keys import Key
from understudy.targets.init.modules import Code
from understudy.targets.init.variables import Names, Value

USERS = Value(constant="users")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "t = db.Table('users')\nt.get_item(Key={'pk': a, 'sk': 1})",
            {USERS: (Key(name="pk", type="S"), Key(name="sk", type="N"))},
        ),
        (
            "c.get_item(TableName='users', Key={'id': {'N': '1'}})",
            {USERS: (Key(name="id", type="N"),)},
        ),
        (
            "db.create_table(TableName='users', KeySchema=[{'AttributeName': 's', 'KeyType': 'RANGE'},"
            " {'AttributeName': 'p', 'KeyType': 'HASH'}],"
            " AttributeDefinitions=[{'AttributeName': 's', 'AttributeType': 'N'}])",
            {USERS: (Key(name="p", type="S"), Key(name="s", type="N"))},
        ),
        ("s3.get_object(Bucket='b', Key='name')", {}),
        ("t.get_item(Key=key)", {}),
    ],
    ids=["resource", "client", "schema", "a bucket's key", "unknown"],
)
def test_states_what_the_code_does(text: str, expected: object) -> None:
    code = Code(name="app", path="app.py", tree=ast.parse(text))

    assert keys.find([code], Names([code])) == expected
