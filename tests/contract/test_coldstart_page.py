"""The report in a real browser: drawn without an error, searched and zoomed by its address."""

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from tests import tools
from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.coldstart import advice, page, profiles
from understudy.coldstart.leftovers import Leftover
from understudy.coldstart.model import Condition, Deployed, Verdict
from understudy.coldstart.snapstart import Eligibility

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--window-size=1200,2400",
    "--virtual-time-budget=2000",
)
TASK = "/var/task/app.py"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = recording(
        span("awslambdaric", 12, 22),
        span("app", 25, 95),
        span("fastapi", 30, 80, parent=1, path=TASK),
        span("fastapi.routing", 35, 60, parent=2, path="/var/task/fastapi/__init__.py"),
        span("yaml", 82, 92, parent=1, path=TASK),
        used=frozenset({"fastapi"}),
    )
    profile = profiles.profile(told, handler="app", owners=OWNERS)
    one = report(100.0, 110.0, 104.0)
    small = dataclasses.replace(one.series[0], condition=Condition(memory_mb=256))
    full = dataclasses.replace(
        one,
        profile=profile,
        series=(*one.series, small),
        calibration=report(20.0).series[0],
        suggestions=advice.suggestions(
            told,
            profile,
            owners=OWNERS,
            leftovers=[Leftover(name="tool", along=(), size_bytes=2_000_000)],
            eligibility=Eligibility(has_hooks=True, ephemeral_mb=512),
        ),
        deployed=Deployed(target="preprod", function="shop", series=report(150.0).series[0]),
        verdicts=(Verdict(name="cold start", passed=False, detail="0.11 s of 0.1 s"),),
        notes=("mind <this>",),
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page.render(full, before=report(*[200.0] * 8), before_name="main"))
    return path


def rendered(path: Path, place: str = "") -> str:
    """The document after its program has run; an error on the console fails the test."""
    done = subprocess.run(
        [
            tools.require_tool("chromium"),
            *OPTIONS,
            f"--user-data-dir={path.parent / 'profile'}",
            "--dump-dom",
            f"{path.as_uri()}{place}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def test_every_part_is_drawn(written: Path) -> None:
    found = rendered(written)

    assert 'data-drawn="yes"' in found
    parts = re.findall(r'<section id="(\w+)"', found)
    assert parts == [
        "budget",
        "deployed",
        "timeline",
        "advice",
        "comparison",
        "imports",
        "distributions",
        "modules",
        "sweep",
        "runs",
    ]
    assert "mind &lt;this&gt;" in found
    assert '<span class="gain">10.0 ms</span> yaml is imported' in found
    assert '<span class="gain">2.0 MB of the image</span> nothing of tool was opened' in found
    assert '<span class="soft">for information</span> SnapStart takes this image' in found
    assert "shop on preprod, 512 MB, 1 cold starts of scratch versions" in found
    assert '<span class="loss">broken</span>' in found
    assert len(re.findall(r'<div tabindex="0" data-name=', found)) == 5
    assert found.count("<circle") == 4 + 7


def test_a_search_marks_what_it_finds_and_an_address_zooms(written: Path) -> None:
    found = rendered(written, "#search=fastapi&zoom=app")

    names = re.findall(r'data-name="([\w.]+)"[^>]*class="(\w*)"', found)
    assert dict(names) == {"app": "dim", "fastapi": "hit", "fastapi.routing": "hit", "yaml": "dim"}
    assert "2 modules, 50.0 ms themselves" in found
