"""Every rule there is, the most fundamental first: what keeps a function from being made, then from starting.

The order is what findings of one severity are sorted by, so a reader meets the cause before what follows
from it. Families are listed, not discovered: a rule that nobody listed would be a rule that nobody ran.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from understudy.verify.model import Check, Finding, Rule, Subject
from understudy.verify.rules import (
    boot,
    bytecode,
    configuration,
    configuration_rules,
    entry,
    filesystem,
    linking,
    native,
    python_distributions,
    python_imports,
    python_layout,
    python_syntax,
    registry,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Rules that one check looks for.

    Attributes:
        name: of the module.
        rules: that `check` may find.
        check: looks at a subject.
        of_files: whether it judges by what files the image has.
    """

    name: str
    rules: tuple[Rule, ...]
    check: Check
    of_files: bool = True


FAMILIES: tuple[Family, ...] = (
    Family(name="registry", rules=registry.RULES, check=registry.check, of_files=False),
    Family(name="configuration", rules=configuration.RULES, check=configuration.check, of_files=False),
    Family(name="entry", rules=entry.RULES, check=entry.check),
    Family(name="filesystem", rules=filesystem.RULES, check=filesystem.check),
    Family(name="native", rules=native.RULES, check=native.check),
    Family(name="linking", rules=linking.RULES, check=linking.check),
    Family(name="python_syntax", rules=python_syntax.RULES, check=python_syntax.check),
    Family(name="python_layout", rules=python_layout.RULES, check=python_layout.check),
    Family(name="python_distributions", rules=python_distributions.RULES, check=python_distributions.check),
    Family(name="python_imports", rules=python_imports.RULES, check=python_imports.check),
    Family(name="bytecode", rules=bytecode.RULES, check=bytecode.check),
)

BOOT_RULES: tuple[Rule, ...] = boot.RULES
"""Rules about what a boot observed."""

_MEASURED = (
    configuration_rules.MEMORY,
    configuration_rules.MEMORY_TIGHT,
    configuration_rules.TIMEOUT,
    configuration_rules.INIT_LONG,
    configuration_rules.INIT_TIMEOUT,
)

BY_BOOT: frozenset[str] = frozenset(rule.id for rule in (*BOOT_RULES, *_MEASURED))
"""Ids of the rules that only a boot can break: what it observed, and limits that its figures come near."""

RULES: Mapping[str, Rule] = {
    rule.id: rule for rules in (*(family.rules for family in FAMILIES), BOOT_RULES) for rule in rules
}


def check_all(subject: Subject, families: Iterable[Family] = FAMILIES) -> tuple[Finding, ...]:
    """Returns what all rules find, family by family.

    Of an image with a layer that cannot be read nobody knows what is missing, so only those that do not ask
    for files are heard.
    """
    unread = any(layer.problem for layer in subject.layers)
    asked = (family for family in families if not (unread and family.of_files))
    return tuple(finding for family in asked for finding in family.check(subject))
