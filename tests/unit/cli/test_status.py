import json

from tests.fakes.project import RECORD
from tests.unit.cli.conftest import Understudy
from understudy.targets import record
from understudy.targets.workspace import Workspace


def test_nothing_runs_exits_with_one_and_says_how_to_start(
    understudy: Understudy, project: Workspace
) -> None:
    done = understudy("status")

    assert (done.exit_code, done.stdout) == (1, "nothing runs here; start it: ./understudy up\n")


def test_what_runs_is_shown_with_its_urls(understudy: Understudy, project: Workspace) -> None:
    with record.claim(project.layout):
        record.write(project.layout, RECORD)
        text, document = understudy("status"), understudy("status", "-o", "json")

    assert text.exit_code == 0
    assert RECORD.api_url in text.stdout
    found = json.loads(document.stdout)
    assert (found["state"], found["endpoint"], found["image_digest"]) == (
        "running",
        RECORD.endpoint,
        RECORD.image_digest,
    )


def test_a_stack_that_is_starting_says_so(understudy: Understudy, project: Workspace) -> None:
    with record.claim(project.layout):
        text, document = understudy("status"), understudy("status", "-o", "json")

    assert (text.exit_code, text.stdout) == (1, "starting\n")
    assert json.loads(document.stdout) == {"state": "starting"}
    assert json.loads(understudy("status", "-o", "json").stdout) == {"state": "stopped"}
