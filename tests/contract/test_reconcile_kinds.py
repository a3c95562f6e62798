"""Every kind through its life on real servers: made, changed field by field, taken away.

After each step a second look finds nothing left to do, so no answer of an endpoint is taken for drift.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.contract import (
    kind_cases_gateway,
    kind_cases_lambda,
    kind_cases_messaging,
    kind_cases_rest,
    kind_cases_storage,
)
from tests.contract import reconcile_servers as servers
from tests.contract.kind_case import SERVERS, Case
from understudy.errors import UnderstudyError
from understudy.manifests import references
from understudy.manifests.model import DesiredResource, Json, ResourceKey
from understudy.reconcile import managers, plan
from understudy.targets.local import LocalTarget

_UNIT = servers.ROOT / "tests" / "unit" / "reconcile" / "services"
CASES = (
    *kind_cases_storage.CASES,
    *kind_cases_lambda.CASES,
    *kind_cases_messaging.CASES,
    *kind_cases_gateway.CASES,
    *kind_cases_rest.CASES,
)


@pytest.fixture(scope="module", params=SERVERS)
def endpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Endpoint]":
    folder = tmp_path_factory.mktemp(request.param)
    with servers.PROCESSES[request.param](folder) as url:
        yield Endpoint(request.param, url, folder)


class Endpoint:
    """One server, and what a life on it needs."""

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.aws = LocalTarget(name="local", endpoint_url=url).session()
        self.facts: dict[str, str] = {}

    def desired(self, kind: str, spec: Mapping[str, Json]) -> DesiredResource:
        """The resource, with what only the endpoint knows filled in."""
        filled = references.each_text_of(spec, lambda text: references.substitute(text, self._fact))
        return DesiredResource(key=ResourceKey(kind, "case"), spec=filled, document={}, where="case.yaml:1")

    def _fact(self, name: str) -> str | None:
        if name not in self.facts and name in servers.FACTS:
            self.facts[name] = servers.FACTS[name](self.aws, self.name, self.folder)
        return self.facts.get(name)

    def decide(self, wanted: DesiredResource) -> plan.Action:
        """What is to be done about it."""
        return plan.decide(wanted, managers.of(wanted.key.kind).observe(self.aws, wanted))

    def bring(self, wanted: DesiredResource) -> str:
        """Does what is to be done, then looks again: nothing is."""
        action = self.decide(wanted)
        manager = managers.of(wanted.key.kind)
        assert action.desired is not None
        if action.verb == "create":
            manager.create(self.aws, action.desired)
        elif action.verb == "update":
            assert action.observed is not None
            manager.update(self.aws, action.desired, action.observed, action.changes)
        again = self.decide(wanted)
        if again.verb == "wait":
            manager.settle(self.aws, wanted)
            again = self.decide(wanted)
        assert again.verb == "unchanged", f"{again.verb}: {again.changes}"
        status = again.observed.status if again.observed else {}
        self.facts.update({f"{wanted.key.kind}.{name}": value for name, value in status.items()})
        return action.verb

    def has(self, kind: str) -> bool:
        """Whether the endpoint knows a kind that others need."""
        return any(case.runs_on(self.name) for case in CASES if case.kind == kind)

    def remove(self, wanted: DesiredResource, *, again: bool = False) -> None:
        """Takes it away, twice: what is gone already is no error."""
        manager = managers.of(wanted.key.kind)
        observed = manager.observe(self.aws, wanted)
        if observed is None and again:
            return
        assert observed is not None
        for _ in range(1 if (self.name, wanted.key.kind) in kind_cases_rest.ONCE else 2):
            manager.delete(self.aws, observed)
        assert manager.observe(self.aws, wanted) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name or case.kind)
def test_each_field_is_applied_compared_changed_and_taken_away(endpoint: Endpoint, case: Case) -> None:
    name = endpoint.name
    if not case.runs_on(name):
        assert case.lacks[name]["*"]
        return
    needs: list[DesiredResource] = []
    for kind, first in case.needs:
        if endpoint.has(kind):
            needs.append(endpoint.desired(kind, first))
            endpoint.bring(needs[-1])
    spec = case.first(name)
    assert endpoint.bring(endpoint.desired(case.kind, spec)) == "create"
    for step, change in case.steps_for(name).items():
        spec = {key: value for key, value in {**spec, **change}.items() if value is not None}
        try:
            verb = endpoint.bring(endpoint.desired(case.kind, spec))
        except (AssertionError, UnderstudyError) as exc:
            raise AssertionError(f"{step}: {exc}") from exc
        assert verb == "update", f"{step}: {verb}"
    endpoint.remove(endpoint.desired(case.kind, spec))
    for need in reversed(needs):
        endpoint.remove(need, again=True)


@pytest.mark.parametrize("kind", sorted({case.kind for case in CASES}))
def test_each_supported_field_is_shown_somewhere(kind: str) -> None:
    cases = [case for case in CASES if case.kind == kind]
    shown = {field for case in cases for server in SERVERS for field in case.fields(server)}
    elsewhere = {field: where for case in cases for field, where in case.elsewhere.items()}
    assert shown | set(elsewhere) == managers.of(kind).supported
    assert not shown & set(elsewhere)
    for where in elsewhere.values():
        path, _, test = where.partition("::")
        assert f"def {test}(" in (_UNIT / path).read_text()
