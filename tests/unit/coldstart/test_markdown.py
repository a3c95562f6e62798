from dataclasses import replace

from tests.fakes.coldstarts import report
from understudy.coldstart import markdown
from understudy.coldstart.model import Deployed, Verdict
from understudy.coldstart.watched import Suggestion


def test_verdicts_come_first_and_figures_are_a_table() -> None:
    found = report(100.0, 110.0)
    found = replace(
        found,
        calibration=found.series[0],
        verdicts=(
            Verdict(name="cold start", passed=True, detail="0.12 s, limit 15.00 s"),
            Verdict(name="before", passed=False, detail="slower"),
        ),
        deployed=Deployed(target="preprod", function="shop", series=found.series[0]),
    )

    lines = "\n".join(markdown.lines(found)).splitlines()

    assert lines[:4] == [
        "### Cold start of shop",
        "",
        "- ✅ cold start: 0.12 s, limit 15.00 s",
        "- ❌ before: slower",
    ]
    assert "| init, 512 MB | 105.0 | 110.0 | 100.0 | 110.0 |" in lines
    assert "| init, an empty handler on this base | 105.0 | 110.0 | 100.0 | 110.0 |" in lines
    assert "| init, ms | 105.0 | 105.0 | 1.00 |" in lines


def test_words_of_an_image_are_no_markup() -> None:
    one = Suggestion(rule="lazy-import", what="<b>a|b\nc", fix="import it later", saves_ms=12.4)
    lines = list(markdown.lines(replace(report(100.0), suggestions=(one,), notes=("a\nb <i>",))))
    assert "1. 12 ms: &lt;b>a\\|b c; import it later" in lines
    assert lines[-1] == "\n> a b &lt;i>"
