"""The Dockerfile that Docker gets keeps its lines, and names the bases that were resolved here."""

import pytest

from understudy.image import dockerfile
from understudy.image.builder import BuildRequest
from understudy.image.builder import plan as build_plan
from understudy.image.docker import written

TEXT = """# syntax=docker/dockerfile:1
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13
FROM --platform=linux/amd64 ${BASE_IMAGE} AS python
run echo one
RUN --mount=type=bind,from=busybox:1,target=/b --mount=type=bind,from=busybox:1,target=/c \\
    echo two
FROM \\
  python AS copied
COPY --from=python --chown=0:0 /a /b
COPY --from=busybox:1 /bin/sh /sh
RUN ["echo", "three"]
FROM never:built
RUN echo four
"""


class NoBases:
    """Nothing is resolved here."""

    def resolve(self, ref: str, platform: str) -> None:
        raise AssertionError(ref, platform)


def rewrite(text: str, target: str | None = "copied", flags: str = "") -> str:
    from pathlib import Path

    request = BuildRequest(
        context=Path("/c"),
        dockerfile=Path("/c/Dockerfile"),
        base_resolver=NoBases(),
        target=target,  # type: ignore[arg-type]
    )
    parsed = dockerfile.parse(text)
    plan = build_plan.plan(parsed, request)
    names = [(use, f"local/{use.ref.split('/')[-1]}") for use in written.uses(parsed, plan, "linux/amd64")]
    return written.rewritten(text, names, written.run_lines(plan), flags)


def test_images_get_other_names_and_stages_keep_theirs() -> None:
    before, after = TEXT.splitlines(), rewrite(TEXT).splitlines()
    pairs = enumerate(zip(before, after, strict=True), start=1)
    changed = {number: new for number, (old, new) in pairs if old != new}
    assert changed == {
        3: "FROM --platform=linux/amd64 local/python:3.13 AS python",
        5: "RUN --mount=type=bind,from=local/busybox:1,target=/b "
        "--mount=type=bind,from=local/busybox:1,target=/c \\",
        10: "COPY --from=local/busybox:1 /bin/sh /sh",
    }


def test_run_gets_flags_in_every_form_of_the_stages_that_are_built() -> None:
    after = rewrite(TEXT, flags="--mount=x").splitlines()
    assert after[3] == "run --mount=x echo one"
    assert after[4].startswith("RUN --mount=x --mount=type=bind,")
    assert after[10] == 'RUN --mount=x ["echo", "three"]'
    assert after[12] == "RUN echo four"


def test_scratch_is_no_image() -> None:
    assert rewrite("FROM scratch\nCOPY a /\n", target=None) == "FROM scratch\nCOPY a /\n"


@pytest.mark.parametrize("line", ["FROM app:1 AS app", "FROM app:1"])
def test_the_name_is_found_as_a_word(line: str) -> None:
    assert rewrite(f"{line}\n", target=None) == f"{line.replace('app:1', 'local/app:1')}\n"
