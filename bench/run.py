"""One run: the stages in order, the contenders in turn within each round."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import docker, floor, host, ministack, requests, sam, stages, wrk
from bench.contenders import Contender
from bench.floor import Uvicorn
from bench.ministack import MiniStack
from bench.model import MINISTACK, SAM, Figures, Results
from bench.ours import Understudy
from bench.project import Project
from bench.sam import Sam

_CLIENTS = 8
_WARM_UP_S = 6
_IMPORTS_PER_ROUND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run measures.

    Attributes:
        folder: scratch project, environments of the peers, logs; kept between runs.
        rounds: samples per figure.
        seconds: length of one load.
        peers: whether SAM CLI and MiniStack take part.
        first_run: whether a clean clone is brought up, which takes a minute or two.
        quiet_within_s: how long each round waits for other processes to leave the CPUs alone.
    """

    folder: Path
    rounds: int = 5
    seconds: int = 3
    peers: bool = True
    first_run: bool = False
    quiet_within_s: float = 60.0


@dataclass(slots=True)
class _Samples:
    cold_s: list[float] = field(default_factory=list)
    warm_p50_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)


class Run:
    """Measures once; `results` may be read afterwards."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._project = Project(folder=options.folder / "project")
        self._absent: dict[str, str] = {}
        self._disturbed = 0
        self._rounds = 0

    def measure(self) -> Results:
        """Returns every figure.

        Raises:
            UnderstudyError: a contender does not work here.
        """
        wrk.require()
        load_before = host.load()
        self._project.prepare()
        self._quiet()
        first = stages.first_run() if self._options.first_run else []
        second, edits = stages.second_up_and_edits(self._project, self._options.rounds, self._say)
        if not first:
            self._absent["first up with nothing cached"] = "not asked for, see --first-run"
        with Understudy(self._project) as ours:
            pushes, again, memory = self._push(ours)
            contenders, imports = self._compare(ours)
        return Results(
            host=host.describe(load_before=load_before, rounds=self._rounds, disturbed=self._disturbed),
            contenders=contenders,
            exec_import_s=tuple(imports),
            edit_live_s=tuple(edits),
            push_s=tuple(pushes),
            push_again_s=tuple(again),
            rss_mb=memory,
            up_first_s=tuple(first),
            up_second_s=tuple(second),
            absent=self._absent,
        )

    def _quiet(self) -> None:
        self._rounds += 1
        if not host.wait_until_quiet(self._options.quiet_within_s, self._say):
            self._disturbed += 1

    def _push(self, ours: Understudy) -> tuple[list[float], list[float], dict[str, float]]:
        missing = docker.missing()
        if missing:
            self._absent["docker push and memory after it"] = missing
            return [], [], {}
        self._say(f"docker push of {stages.LARGE_MB} MB")
        self._quiet()
        return stages.push(ours, self._options.folder / "large")

    def _compare(self, ours: Understudy) -> tuple[tuple[Figures, ...], list[float]]:
        with contextlib.ExitStack() as stack:
            uvicorn = stack.enter_context(Uvicorn(self._project, ours.digest))
            peers, absent = self._peers(ours, stack)
            contenders: list[Contender] = [ours, uvicorn, *peers]
            requests.same_answer([one.target for one in contenders])
            samples = {one.key: _Samples() for one in contenders}
            imports: list[float] = []
            for number in self._turns("cold starts"):
                del number
                imports += floor.exec_and_import(self._project, ours.digest, _IMPORTS_PER_ROUND)
                for one in contenders:
                    seconds = one.cold()
                    if seconds is not None:
                        samples[one.key].cold_s.append(seconds)
            for one in contenders:
                self._say(f"warming up {one.title}")
                wrk.run(one.target, clients=_CLIENTS, seconds=_WARM_UP_S)
            for number in self._turns("one client"):
                del number
                for one in contenders:
                    load = wrk.run(one.target, clients=1, seconds=self._options.seconds)
                    samples[one.key].warm_p50_ms.append(load.p50_ms)
            for number in self._turns(f"{_CLIENTS} clients"):
                del number
                for one in contenders:
                    load = wrk.run(one.target, clients=_CLIENTS, seconds=self._options.seconds)
                    samples[one.key].per_second.append(load.per_second)
        measured = tuple(_figures(one, samples[one.key]) for one in contenders)
        return (*measured, *absent), imports

    def _turns(self, what: str) -> Iterator[int]:
        for number in range(self._options.rounds):
            self._say(f"{what}, round {number + 1} of {self._options.rounds}")
            self._quiet()
            yield number

    def _peers(
        self, ours: Understudy, stack: contextlib.ExitStack
    ) -> tuple[Sequence[Contender], Sequence[Figures]]:
        reason = docker.missing() if self._options.peers else "not asked for"
        if reason:
            absent = (
                Figures(key=SAM, title=Sam.title, absent=reason),
                Figures(key=MINISTACK, title=MiniStack.title, absent=reason),
            )
            return (), absent
        cache, folder = self._options.folder / "cache", self._options.folder
        self._say("peers: their environments, the image for Docker")
        stack.callback(docker.remove_everything)
        sam_python, ministack_python = sam.install(cache), ministack.install(cache)
        image = docker.take(ours.docker_name)
        with_emulator = docker.with_emulator(sam.emulator(sam_python), folder / "emulator")
        self._say("peers: start")
        started_sam = stack.enter_context(Sam(sam_python, folder / "sam", image))
        started_ministack = stack.enter_context(
            MiniStack(ministack_python, folder / "ministack", with_emulator)
        )
        return (started_sam, started_ministack), ()


def _figures(one: Contender, samples: _Samples) -> Figures:
    return Figures(
        key=one.key,
        title=one.title,
        cold_s=tuple(samples.cold_s),
        warm_p50_ms=tuple(samples.warm_p50_ms),
        per_second=tuple(samples.per_second),
    )
