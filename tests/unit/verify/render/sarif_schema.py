"""What SARIF 2.1.0's schema says about the properties that we write, as strict as the schema itself.

Written from the specification (sections 3.13 to 3.57); a property that is not listed is refused, as there.
"""

from typing import Any


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": {name.replace("_schema", "$schema"): each for name, each in properties.items()},
    }


def _array(items: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **facts}


TEXT = {"type": "string", "minLength": 1}
URI = {"type": "string", "format": "uri"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
BAG = {"type": "object", "properties": {"tags": _array(TEXT, uniqueItems=True)}}
MESSAGE = _object(["text"], text=TEXT, markdown=TEXT)
ARTIFACT = _object([], uri={"type": "string", "format": "uri-reference"}, uriBaseId=TEXT, description=MESSAGE)
REGION = _object([], startLine={"type": "integer", "minimum": 1})
LOCATION = _object(
    [],
    physicalLocation=_object([], artifactLocation=ARTIFACT, region=REGION),
    logicalLocations=_array(_object([], fullyQualifiedName=TEXT, kind=TEXT)),
    message=MESSAGE,
)
RULE = _object(
    ["id"],
    id=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri=URI,
    defaultConfiguration=_object([], level=LEVEL),
    properties=BAG,
)
RESULT = _object(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations=_array(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    suppressions=_array(_object(["kind"], kind={"enum": ["inSource", "external"]}, justification=TEXT)),
)
DRIVER = _object(
    ["name"],
    name=TEXT,
    version=TEXT,
    semanticVersion=TEXT,
    informationUri=URI,
    rules=_array(RULE, uniqueItems=True),
)
RUN = _object(
    ["tool"],
    tool=_object(["driver"], driver=DRIVER),
    automationDetails=_object([], id=TEXT),
    originalUriBaseIds={"type": "object", "additionalProperties": ARTIFACT},
    invocations=_array(
        _object(
            ["executionSuccessful"],
            executionSuccessful={"type": "boolean"},
            exitCode={"type": "integer"},
        )
    ),
    results=_array(RESULT),
    properties={"type": "object"},
)
SARIF = _object(["version", "runs"], _schema=URI, version={"const": "2.1.0"}, runs=_array(RUN))
