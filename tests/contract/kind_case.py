"""What the manager of a kind is held to: a first manifest, then one change after the other.

An endpoint that lacks something says so here, field by field with the reason; a test holds every field that
a manager supports to at least one endpoint, or to the unit test that is named beside it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.manifests.model import Json

Spec = Mapping[str, Json]

ACCOUNT = "000000000000"
SERVERS = ("moto", "ministack", "engine")
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind on its way through life.

    Attributes:
        kind: the kind.
        name: what tells it from other cases of its kind.
        base: its first spec.
        steps: changes in their order, each on top of the one before; None takes a field away.
        needs: what must exist first, as kind and spec.
        lacks: per endpoint, what it cannot do and why; `*` is the whole kind, otherwise a field or a step.
        elsewhere: fields that no endpoint can show, and the unit test of reconcile/services that holds them.
    """

    kind: str
    name: str = ""
    base: Spec
    steps: Mapping[str, Spec]
    needs: tuple[tuple[str, Spec], ...] = ()
    lacks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def runs_on(self, server: str) -> bool:
        """Whether the endpoint knows the kind at all."""
        return "*" not in self.lacks.get(server, {})

    def first(self, server: str) -> dict[str, Json]:
        """The first spec, as far as the endpoint can follow."""
        return self._fitted(self.base, server)

    def steps_for(self, server: str) -> dict[str, dict[str, Json]]:
        """The changes that the endpoint can follow."""
        fitted = {
            name: self._fitted(change, server)
            for name, change in self.steps.items()
            if name not in self.lacks.get(server, {})
        }
        return {name: change for name, change in fitted.items() if change}

    def fields(self, server: str) -> set[str]:
        """The fields that the case shows on the endpoint."""
        if not self.runs_on(server):
            return set()
        return {*self.first(server), *(name for change in self.steps_for(server).values() for name in change)}

    def _fitted(self, spec: Spec, server: str) -> dict[str, Json]:
        return {name: value for name, value in spec.items() if name not in self.lacks.get(server, {})}


def policy(action: str, resource: str = "*", **more: Json) -> str:
    """A policy document as a manifest may write it: one statement, a list where one text would do."""
    statement = {"Effect": "Allow", "Action": [action], "Resource": resource, **more}
    return to_json({"Version": "2012-10-17", "Statement": [statement]})


def to_json(value: object) -> str:
    return json.dumps(value)


def trust(service: str) -> str:
    """A trust policy."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [service]}}
    return to_json({"Version": "2012-10-17", "Statement": [statement]})
