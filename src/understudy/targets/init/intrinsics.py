"""CloudFormation's way to say a value, read and turned into the placeholders of manifests; pure.

Of the libraries that read the short forms (``!Ref``), aws-sam-translator pins another pydantic than this
project, cfn-lint brings a hundred megabytes along, and cfn-flip is no longer released; what is needed of them
is one constructor of PyYAML's (decision 0081).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from understudy.errors import UnderstudyError

_PSEUDO = {"AWS::Region": "${region}", "AWS::AccountId": "${account}", "AWS::Partition": "${partition}"}
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class UnresolvedError(Exception):
    """A value that no manifest can say; the text names what it is."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags; ``2012-10-17`` stays text."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """``!Ref x`` as ``{"Ref": x}`` and ``!GetAtt x.y`` as ``{"Fn::GetAtt": ["x", "y"]}``."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def parse(text: str, path: str) -> dict[str, Any]:
    """The document of a template, its intrinsic functions in the long form.

    Raises:
        UnderstudyError: it is no YAML, or no mapping.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader by descent
    except yaml.YAMLError as exc:
        raise UnderstudyError(
            "init-template", f"{path} is no YAML: {exc}", hint=f"correct {path}", where=path
        ) from exc
    if not isinstance(document, dict):
        raise UnderstudyError(
            "init-template",
            f"{path} holds no mapping",
            hint="name a template: --from template.yaml",
            where=path,
        )
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a resource of a template is called in manifests.

    Attributes:
        ref: what ``!Ref`` comes to.
        attributes: what ``!GetAtt`` comes to, by attribute.
    """

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What names in a template stand for.

    Attributes:
        stack: what ``AWS::StackName`` comes to.
        parameters: defaults of parameters.
        resources: carried resources by logical id.
    """

    stack: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Named] = field(default_factory=dict)

    def with_parameters(self, given: Mapping[str, str]) -> "Values":
        """These, with the parameters of a policy template before the template's own."""
        return Values(stack=self.stack, parameters={**self.parameters, **given}, resources=self.resources)

    def resolve(self, value: object) -> Any:  # noqa: ANN401 - as varied as YAML
        """`value` without intrinsic functions.

        Raises:
            UnresolvedError: it depends on what only a running stack of CloudFormation knows.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        name, argument = next(iter(value.items())) if len(value) == 1 else ("", None)
        if name == "Ref" or str(name).startswith("Fn::"):
            return self._called(str(name), argument)
        return {key: self.resolve(item) for key, item in value.items()}

    def _called(self, function: str, argument: Any) -> str:  # noqa: ANN401 - as above
        match function:
            case "Ref":
                return self._ref(str(argument))
            case "Fn::GetAtt":
                return self._attribute(argument)
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::Join":
                return str(argument[0]).join(map(str, self.resolve(argument[1])))
            case _:
                raise UnresolvedError(function)

    def text(self, value: object) -> str:
        """`value` as the text of an environment variable.

        Raises:
            UnresolvedError: see `resolve`.
        """
        found = self.resolve(value)
        return str(found).lower() if isinstance(found, bool) else str(found)

    def _ref(self, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name == "AWS::StackName":
            return self.stack
        if name in self.parameters:
            return self.parameters[name]
        if name in self.resources:
            return self.resources[name].ref
        raise UnresolvedError(f"!Ref {name}")

    def _attribute(self, argument: Sequence[str] | str) -> str:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        named = self.resources.get(name)
        if named is None or attribute not in named.attributes:
            raise UnresolvedError(f"!GetAtt {name}.{attribute}")
        return named.attributes[attribute]

    def _sub(self, argument: object) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        own = {name: str(self.resolve(value)) for name, value in given.items()}

        def replaced(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return f"$${{{name[1:]}}}"
            if name in own:
                return own[name]
            return self._attribute(name) if "." in name else self._ref(name)

        return _VARIABLE.sub(replaced, str(text))
