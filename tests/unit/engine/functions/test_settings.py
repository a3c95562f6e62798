from typing import Any

import pytest

from understudy.engine.functions import settings
from understudy.engine.functions.model import ImageOverrides, Settings
from understudy.engine.protocol import ApiError

ROLE = "arn:aws:iam::000000000000:role/dash"


def create(**params: Any) -> Settings:
    return settings.created("dash", {"Role": ROLE, **params})


def test_defaults_are_those_of_lambda() -> None:
    made = create()
    assert (made.timeout_s, made.memory_mb, made.ephemeral_mb) == (3, 128, 512)
    assert made.environment is None
    assert made.logging.group == "/aws/lambda/dash"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"MemorySize": 127}, "'memorySize' failed to satisfy constraint: Member must have value greater"),
        ({"MemorySize": 10_241}, "less than or equal to 10240"),
        ({"Timeout": 0}, "'timeout'"),
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"EphemeralStorage": {"Size": 511}}, "'ephemeralStorage.size'"),
        ({"Role": "dash"}, "Value 'dash' at 'role' failed to satisfy constraint"),
        ({"TracingConfig": {"Mode": "On"}}, "[Active, PassThrough]"),
        ({"LoggingConfig": {"LogFormat": "XML"}}, "[JSON, Text]"),
        ({"Environment": {"Variables": {"1X": "a"}}}, "'environment.variables'"),
    ],
)
def test_values_out_of_range_are_validation_errors(params: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        create(**params)
    assert caught.value.code == "ValidationException"
    assert text in caught.value.message


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            {"Environment": {"Variables": {"AWS_REGION": "x", "_HANDLER": "y"}}},
            "contains reserved keys that are currently not supported for modification. "
            "Reserved keys used in this request: AWS_REGION, _HANDLER",
        ),
        (
            {"Environment": {"Variables": {"BIG": "x" * 4096}}},
            'exceeded the 4KB limit. String measured: {"BIG":"xxx',
        ),
        ({"Layers": ["arn:aws:lambda:us-east-1:0:layer:x:1"]}, "layers are not supported for functions"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "understudy does not support SnapStart"),
        ({"FileSystemConfigs": [{}]}, "there is no EFS"),
        ({"Handler": "a.b"}, "Runtime and Handler are not supported"),
    ],
)
def test_refusals_name_what_is_wrong(params: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        create(**params)
    assert caught.value.code == "InvalidParameterValueException"
    assert text in caught.value.message


def test_exactly_four_kilobytes_of_variables_pass() -> None:
    value = "x" * (4096 - len('{"BIG":""}'))
    assert create(Environment={"Variables": {"BIG": value}}).environment == {"BIG": value}


def test_an_update_changes_only_what_it_names() -> None:
    first = create(MemorySize=512, Environment={"Variables": {"AB": "1"}})
    second = settings.updated("dash", first, {"Timeout": 9})
    assert (second.memory_mb, second.timeout_s, second.environment) == (512, 9, {"AB": "1"})
    assert settings.updated("dash", second, {"Environment": {"Variables": {}}}).environment == {}


def test_empty_image_config_restores_what_the_image_says() -> None:
    first = create(ImageConfig={"Command": ["a.b"], "WorkingDirectory": "/srv"})
    assert first.image == ImageOverrides(command=("a.b",), working_directory="/srv")
    assert settings.updated("dash", first, {"ImageConfig": {}}).image is None


def test_json_logging_has_levels_and_text_has_none() -> None:
    first = create(LoggingConfig={"LogFormat": "JSON", "LogGroup": "mine"})
    assert (first.logging.application_level, first.logging.system_level) == ("INFO", "INFO")
    second = settings.updated("dash", first, {"LoggingConfig": {"LogFormat": "Text"}})
    assert second.logging.group == "mine"
    assert second.logging.application_level is None


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ([], "Value '[]' at 'architectures'"),
        (["x86_64", "arm64"], "Member must have length less than or equal to 1"),
        (["riscv"], "Member must satisfy enum value set: [x86_64, arm64]"),
    ],
)
def test_one_known_architecture_is_wanted(asked: list[str], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        settings.architecture({"Architectures": asked})
    assert text in caught.value.message


def test_architecture_defaults_to_x86() -> None:
    assert settings.architecture({}) == "x86_64"
    assert settings.architecture({"Architectures": ["arm64"]}) == "arm64"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"Code": {"ZipFile": b""}}, "runs image functions only; set PackageType to Image"),
        ({"Code": {}, "PackageType": "Jar"}, "[Zip, Image]"),
        ({"Code": {}, "PackageType": "Image"}, "Please provide ImageUri"),
        (
            {"Code": {"ImageUri": "x"}, "PackageType": "Image", "Runtime": "python3.13"},
            "Please don't provide handler or runtime or layer",
        ),
        ({"Code": {"ImageUri": "x"}, "PackageType": "Image", "CodeSigningConfigArn": "y"}, "Code signing"),
    ],
)
def test_only_image_packages_are_taken(params: dict[str, Any], text: str) -> None:
    with pytest.raises(ApiError) as caught:
        settings.check_image_package(params)
    assert text in caught.value.message
