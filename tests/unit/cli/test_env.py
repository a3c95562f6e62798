import json

from tests.fakes import project as projects
from tests.unit.cli.conftest import Reached, Understudy
from tests.unit.targets.debugging.test_functions import CONFIGURATION
from understudy.targets.workspace import Workspace


def _answers(digest: str) -> dict[str, object]:
    variables = {"STAGE": "local", "API_KEY": "s3cret"}
    configuration = {**CONFIGURATION, "Environment": {"Variables": variables}}
    code = {"ResolvedImageUri": f"{projects.URI}@{digest}"}
    return {
        "GetFunctionConfiguration": configuration,
        "GetFunction": {"Configuration": configuration, "Code": code},
    }


def test_secrets_are_hidden_unless_they_are_asked_for(
    understudy: Understudy, project: Workspace, reach: Reached
) -> None:
    reach(_answers(projects.image(project).digest))

    hidden = json.loads(understudy("env", "--output", "json").stdout)
    shown = json.loads(understudy("env", "--reveal", "--output", "json").stdout)

    assert {"name": "API_KEY", "value": "(hidden)", "source": "function"} in hidden
    assert {"name": "API_KEY", "value": "s3cret", "source": "function"} in shown
    assert {"name": "STAGE", "value": "local", "source": "function"} in hidden


def test_text_is_a_table(understudy: Understudy, project: Workspace, reach: Reached) -> None:
    reach(_answers(projects.image(project).digest))

    done = understudy("env", "shop:live")

    assert done.exit_code == 0, done.stderr
    assert "STAGE" in done.stdout
    assert "s3cret" not in done.stdout
