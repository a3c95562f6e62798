import json

from understudy.manifests.model import Json
from understudy.reconcile import documents
from understudy.reconcile.model import Change


def differ(old: object, new: object) -> dict[str, tuple[Json, Json]]:
    change = Change(path="policy", old=json.dumps(old), new=json.dumps(new))
    return {one.path: (one.old, one.new) for one in documents.expanded(change)}


def test_statements_are_matched_by_their_sid_and_actions_by_themselves() -> None:
    old = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "A", "Action": ["s3:Get", "s3:Put"], "Effect": "Allow"}],
    }
    new = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "B", "Action": "s3:List"},
            {"Sid": "A", "Action": ["s3:Put", "s3:Delete"], "Effect": "Allow"},
        ],
    }
    assert differ(old, new) == {
        "policy.Statement[A].Action[s3:Get]": ("s3:Get", None),
        "policy.Statement[A].Action[s3:Delete]": (None, "s3:Delete"),
        "policy.Statement[B]": (None, {"Sid": "B", "Action": "s3:List"}),
    }


def test_what_says_the_same_in_other_words_is_no_difference() -> None:
    old = {"Statement": [{"Action": ["a"], "Effect": "Allow"}]}
    assert differ(old, {"Statement": {"Action": "a", "Effect": "Deny"}}) != {}
    assert differ({"A": ["x"], "B": 1}, {"A": "x", "B": 2}) == {"policy.B": (1, 2)}


def test_what_is_no_document_stays_as_it_is() -> None:
    change = Change(path="memorySize", old=1, new=2)
    assert documents.expanded(change) == (change,)
    text = Change(path="policy", old=None, new="{}")
    assert documents.expanded(text) == (text,)
