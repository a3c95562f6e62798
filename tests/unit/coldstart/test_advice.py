from tests.fakes.coldstarts import OWNERS, recording, span
from understudy.coldstart import advice, profiles
from understudy.coldstart.leftovers import Leftover
from understudy.coldstart.snapstart import Eligibility
from understudy.coldstart.watched import Recording, Suggestion

TASK = "/var/task/app.py"


def suggested(found: Recording) -> list[Suggestion]:
    profile = profiles.profile(found, handler="app", owners=OWNERS)
    return list(advice.suggestions(found, profile, owners=OWNERS))


def test_an_import_that_no_request_uses_is_named_with_its_statement() -> None:
    (found,) = suggested(recording(span("app", 20, 80), span("yaml", 30, 70, parent=0, path=TASK)))

    assert (found.rule, found.subject, found.saves_ms, found.where) == (
        "lazy-import",
        "yaml",
        40.0,
        f"{TASK}:3",
    )


def test_what_the_request_runs_stays() -> None:
    spans = (
        span("app", 20, 80),
        span("fastapi", 30, 70, parent=0, path=TASK),
        span("yaml", 40, 60, parent=1, path="/var/task/fastapi/main.py"),
    )

    assert suggested(recording(*spans, used=frozenset({"fastapi"}))) == []
    assert [one.subject for one in suggested(recording(*spans))] == ["fastapi"]


def test_a_module_of_the_same_distribution_that_the_request_runs_needs_the_package() -> None:
    spans = (
        span("app", 20, 80),
        span("fastapi", 30, 70, parent=0, path=TASK),
        span("fastapi.routing", 40, 60, parent=1, path="/var/task/fastapi/__init__.py"),
    )

    assert suggested(recording(*spans, used=frozenset({"fastapi.routing"}))) == []


def test_what_somebody_else_would_import_anyway_is_not_spared() -> None:
    spans = (
        span("app", 20, 80),
        span("fastapi", 30, 70, parent=0, path=TASK),
        span("yaml", 40, 60, parent=1, path="/var/task/fastapi/main.py"),
        span("json", 45, 50, parent=2),
    )
    (found,) = suggested(recording(*spans, used=frozenset({"yaml"})))

    assert (found.subject, found.saves_ms) == ("fastapi", 20.0)


def test_a_client_that_no_request_calls_could_wait() -> None:
    spans = (
        span("s3", 40, 55, kind="client", path=TASK),
        span("dynamodb", 60, 80, kind="client", path=TASK),
        span("dynamodb.GetItem", 105, 110, kind="call"),
    )
    (found,) = suggested(recording(*spans))

    assert (found.rule, found.subject, found.saves_ms) == ("unused-client", "s3", 15.0)


def test_bytecode_that_is_missing_costs_what_compiling_took() -> None:
    spans = (span("app", 20, 80, compiled_ms=30), span("fastapi", 40, 60, parent=0, compiled_ms=10))
    (found,) = suggested(recording(*spans))

    assert (found.rule, found.saves_ms) == ("bytecode", 40.0)
    assert "2 modules" in found.what


def test_a_client_of_the_second_request_was_made_before() -> None:
    spans = (
        span("s3", 50, 60, kind="client", path=TASK),
        span("s3", 105, 110, kind="client", path=TASK),
        span("s3.GetObject", 110, 112, kind="call"),
        span("s3", 125, 133, kind="client", path=TASK),
    )
    (found,) = suggested(recording(*spans))

    assert (found.rule, found.subject, found.saves_ms, found.per_request, found.where) == (
        "client-per-request",
        "s3",
        8.0,
        True,
        f"{TASK}:3",
    )


def test_a_lifespan_in_every_request_is_told_once() -> None:
    spans = (span("startup", 105, 110, kind="lifespan"), span("startup", 125, 131, kind="lifespan"))
    (found,) = suggested(recording(*spans))

    assert (found.rule, found.saves_ms, found.per_request) == ("lifespan-per-request", 6.0, True)


def test_own_models_may_be_built_later() -> None:
    spans = (
        span("Item", 40, 44, kind="model", path=TASK),
        span("Schema", 44, 84, kind="model", path="/var/task/fastapi/openapi.py"),
    )
    (found,) = suggested(recording(*spans))

    assert (found.rule, found.saves_ms, found.subject) == ("defer-build", 4.0, "Item")


def test_the_largest_saving_comes_first_and_small_change_is_left_out() -> None:
    spans = (
        span("app", 20, 80, compiled_ms=20),
        span("yaml", 30, 70, parent=0, path=TASK),
        span("fastapi", 70, 70.5, parent=0, path=TASK),
    )

    assert [one.rule for one in suggested(recording(*spans))] == ["lazy-import", "bytecode"]


def test_what_nobody_can_measure_here_comes_last_and_has_no_figure() -> None:
    told = recording(span("app", 20, 80), span("yaml", 30, 70, parent=0, path=TASK))
    profile = profiles.profile(told, handler="app", owners=OWNERS)
    eligibility = Eligibility(has_hooks=True, ephemeral_mb=512)

    first, last = advice.suggestions(told, profile, owners=OWNERS, eligibility=eligibility)

    assert (first.rule, first.gain) == ("lazy-import", "40 ms")
    assert (last.rule, last.saves_ms, last.gain) == ("snapstart", None, "for information")


def test_what_is_left_over_comes_after_what_saves_time_and_before_what_nobody_can_measure() -> None:
    told = recording(span("app", 20, 80), span("yaml", 30, 70, parent=0, path=TASK))
    left = [Leftover(name=f"tool{number}", along=("click",), size_bytes=2_000_000) for number in range(4)]
    found = advice.suggestions(
        told,
        profiles.profile(told, handler="app", owners=OWNERS),
        owners=OWNERS,
        leftovers=[*left, Leftover(name="small", along=(), size_bytes=1000)],
        eligibility=Eligibility(has_hooks=True, ephemeral_mb=512),
        event="GET /health",
    )

    assert [one.rule for one in found] == ["lazy-import", "drop", "drop", "drop", "snapstart"]
    drop = found[1]
    assert (drop.gain, drop.saves_ms, drop.subject) == ("2.0 MB of the image", 0.0, "tool0")
    assert "nothing of tool0 (and click, which it alone requires) was opened in a start and two" in drop.what
    assert "GET /health" in drop.what
    assert "--what-if drop:tool0" in drop.fix
