import re
from pathlib import Path

from understudy.verify import version


def test_rule_set_is_a_date_and_a_fingerprint_and_stays_the_same() -> None:
    assert re.fullmatch(r"\d{4}\.\d{2}\+[0-9a-f]{12}", version.rule_set())
    assert version.rule_set() == version.rule_set()


def test_every_file_that_judges_is_in_the_fingerprint() -> None:
    names = {path.name for path in version._sources()}
    assert {"catalogue.py", "model.py", "report.py", "run.py", "subject.py"} <= names
    assert not {"proof.py", "dsse.py"} & names
    assert all(path.is_file() for path in version._sources())


def test_a_changed_file_changes_the_fingerprint() -> None:
    paths = list(version._sources())
    assert version._fingerprint(paths) != version._fingerprint(paths[1:])
    assert all(isinstance(path, Path) for path in paths)
