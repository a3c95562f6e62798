"""What the project wants of itself, beside what was measured. Pure."""

from dataclasses import dataclass

from bench.model import MINISTACK, SAM, UNDERSTUDY, UVICORN, Results, median
from bench.stats import ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One wanted limit.

    Attributes:
        text: what is compared.
        measured: None when it could not be measured.
        wanted: the limit.
        at_least: whether more is better.
        unit: behind both numbers.
    """

    text: str
    measured: float | None
    wanted: float
    at_least: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the limit holds; None when nothing was measured."""
        if self.measured is None:
            return None
        return self.measured >= self.wanted if self.at_least else self.measured <= self.wanted


def check(results: Results) -> tuple[Check, ...]:
    """Every wanted limit, in the order of the report."""
    ours, floor = results.of(UNDERSTUDY), results.of(UVICORN)
    p50, cold, rate = median(ours.warm_p50_ms), median(ours.cold_s), median(ours.per_second)
    share = ratio(rate, median(floor.per_second))
    live = median(results.edit_live_s)
    rss = sum(results.rss_mb.values()) if results.rss_mb else None
    return (
        Check(text="warm p50 / uvicorn alone", measured=ratio(p50, median(floor.warm_p50_ms)), wanted=5),
        *(
            Check(
                text=f"warm p50 of {peer.title} / ours",
                measured=ratio(median(peer.warm_p50_ms), p50),
                wanted=5,
                at_least=True,
            )
            for peer in (results.of(SAM), results.of(MINISTACK))
        ),
        Check(
            text="8 clients, share of uvicorn alone",
            measured=None if share is None else 100 * share,
            wanted=20,
            at_least=True,
            unit=" %",
        ),
        Check(
            text="cold start / bare exec and import",
            measured=ratio(cold, median(results.exec_import_s)),
            wanted=1.2,
        ),
        Check(
            text="edit to live minus cold start",
            measured=None if live is None or cold is None else live - cold,
            wanted=0.6,
            unit=" s",
        ),
        Check(
            text="docker push, nothing changed", measured=median(results.push_again_s), wanted=1, unit=" s"
        ),
        Check(text="engine and delegate after a push, RSS", measured=rss, wanted=250, unit=" MB"),
        Check(text="first up, nothing cached", measured=median(results.up_first_s), wanted=120, unit=" s"),
        Check(text="second up", measured=median(results.up_second_s), wanted=5, unit=" s"),
    )
