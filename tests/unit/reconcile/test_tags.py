from understudy.reconcile import tags


def test_delta_writes_what_differs_and_leaves_system_tags() -> None:
    found = tags.delta(
        {"a": "1", "b": "2"}, {"a": "1", "b": "x", "c": "3", "aws:d": "4", "understudy.dev/e": "5"}
    )
    assert (found.put, found.remove) == ({"b": "2"}, ("c",))


def test_pairs_are_what_most_services_take() -> None:
    assert tags.pairs({"a": "1"}) == [{"Key": "a", "Value": "1"}]
