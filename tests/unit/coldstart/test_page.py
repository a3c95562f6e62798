import dataclasses
import json
import re

from tests.fakes.coldstarts import OWNERS, recording, report, span
from understudy.coldstart import page, profiles

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


def data(text: str) -> dict[str, object]:
    found = DATA.search(text)
    assert found is not None
    loaded: dict[str, object] = json.loads(found[1])
    return loaded


def test_the_page_holds_the_whole_report_and_asks_no_network_for_anything() -> None:
    told = recording(span("</script><script>alert(1)//", 20, 60))
    one = dataclasses.replace(
        report(100.0), profile=profiles.profile(told, handler="app", owners=OWNERS), notes=("<b>&amp;</b>",)
    )
    text = page.render(one)

    assert data(text)["report"] == json.loads(json.dumps(dataclasses.asdict(one)))
    assert data(text)["comparison"] is None
    assert text.count("</script>") == 2
    assert not re.search(r'(?:src|href)="|url\(|fetch\(|import\(', text)


def test_an_earlier_report_is_compared_under_its_name() -> None:
    text = page.render(report(100.0), before=report(200.0), before_name="main")

    assert data(text)["before"] == "main"
    comparison = data(text)["comparison"]
    assert isinstance(comparison, dict)
    assert [one["name"] for one in comparison["figures"]] == ["init", "1st request", "2nd request"]
