from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.verify.samples import Layout, file
from understudy.image.model import HistoryEntry, ImageConfig
from understudy.verify import subject
from understudy.verify.sources import layout
from understudy.verify.subject import LaunchOverrides

CONFIG = ImageConfig(
    architecture="amd64",
    os="linux",
    env=(("PATH", "/bin"), ("A", "1")),
    entrypoint=("/entry",),
    cmd=("app.handler",),
)


def test_a_subject_tells_layers_files_and_launch(tmp_path: Path) -> None:
    made = Layout()
    made.add(made.image([file("etc/x", b"1")], [file("var/task/app.py", b"y")], architecture="arm64"))
    source = layout.open_directory("oci:x", made.write(tmp_path), "", "linux/amd64")
    found = subject.load(source, cache_dir=tmp_path / "cache")
    assert (found.reference, found.architecture, found.exported, found.index) == (
        "oci:x",
        "arm64",
        False,
        None,
    )
    assert [layer.instruction for layer in found.layers] == ["COPY 0 /", "COPY 1 /"]
    assert [(layer.diff_id == layer.actual_diff_id, layer.problem) for layer in found.layers] == [
        (True, ""),
        (True, ""),
    ]
    place = found.place("/var/task/app.py", line=3)
    assert (place.layer, place.instruction, place.layer_digest) == (1, "COPY 1 /", found.layers[1].digest)
    assert found.launch.command == ("app.handler",)
    again = subject.load(source, cache_dir=tmp_path / "cache")
    assert again.layers == found.layers
    assert list(again.files.walk()) == list(found.files.walk())


def test_a_config_that_names_fewer_layers_leaves_diff_ids_empty(tmp_path: Path) -> None:
    made = Layout()
    entry = made.image([file("a")])
    source = layout.open_directory("oci:x", made.add(entry).write(tmp_path), "", "linux/amd64")
    short = replace(source.image.config, diff_ids=(), history=())
    image = replace(source.image, config=short)
    found = subject.load(replace(source, image=image))
    assert (found.layers[0].diff_id, found.layers[0].instruction) == ("", "")
    assert found.layers[0].actual_diff_id


def test_without_overrides_the_image_says_what_runs() -> None:
    launch = subject.effective_launch(CONFIG, LaunchOverrides())
    assert (launch.entrypoint, launch.command, launch.working_dir) == (("/entry",), ("app.handler",), "/")
    assert (launch.memory_mb, launch.timeout_s, launch.ephemeral_mb) == (128, 3.0, 512)
    assert launch.architecture is None
    overridden = (launch.entrypoint_overridden, launch.command_overridden, launch.working_dir_overridden)
    assert overridden == (False, False, False)


def test_each_field_of_image_config_overrides_on_its_own() -> None:
    launch = subject.effective_launch(CONFIG, LaunchOverrides(command=["other.handler"]))
    assert (launch.entrypoint, launch.command) == (("/entry",), ("other.handler",))
    assert (launch.entrypoint_overridden, launch.command_overridden) == (False, True)
    launch = subject.effective_launch(CONFIG, LaunchOverrides(entrypoint=["/e"], working_dir="/w"))
    assert (launch.entrypoint, launch.command, launch.working_dir) == (("/e",), ("app.handler",), "/w")
    assert (launch.entrypoint_overridden, launch.working_dir_overridden) == (True, True)


def test_an_empty_override_is_none() -> None:
    launch = subject.effective_launch(CONFIG, LaunchOverrides(entrypoint=[], command=[], working_dir=""))
    assert (launch.entrypoint, launch.command, launch.working_dir) == (("/entry",), ("app.handler",), "/")
    assert not launch.command_overridden


def test_the_functions_variables_win() -> None:
    launch = subject.effective_launch(CONFIG, LaunchOverrides(function_env={"A": "2"}))
    assert launch.environment == {"PATH": "/bin", "A": "2"}


@pytest.mark.parametrize(
    ("created_by", "instruction"),
    [
        ("COPY . /var/task # buildkit", "COPY . /var/task"),
        ("RUN /bin/sh -c pip install -r r.txt # buildkit", "RUN pip install -r r.txt"),
        ("RUN |2 A=1 B=x y /bin/sh -c make   all # buildkit", "RUN make all"),
        ("RUN /bin/bash -o pipefail -c set -e; make # buildkit", "RUN set -e; make"),
        ("RUN /bin/bash -euxo pipefail -c make # buildkit", "RUN make"),
        ("|1 VERSION=2 /bin/sh -c echo $VERSION", "RUN echo $VERSION"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ('/bin/sh -c #(nop)  CMD ["app.handler"]', 'CMD ["app.handler"]'),
        ("/bin/sh -c #(nop) ADD file:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b in / ", "ADD ... /"),
        ("/bin/sh -c #(nop) COPY dir:9f86d081884c7d659a2feaa0c55ad015 in /var/task ", "COPY ... /var/task"),
        (
            "/bin/sh -c #(nop) COPY --chown=1:1multi:9f86d081884c7d659a2feaa0c55ad015 in ./ ",
            "COPY --chown=1:1 ... ./",
        ),
        ("WORKDIR /var/task", "WORKDIR /var/task"),
        ("RUN mkdir /x && \\\n    cd /x", "RUN mkdir /x && \\ cd /x"),
        ('RUN ["python", "-m", "x"]', 'RUN ["python", "-m", "x"]'),
        ("understudy base build python3.13", "understudy base build python3.13"),
        ("", ""),
    ],
)
def test_history_reads_like_the_dockerfile(created_by: str, instruction: str) -> None:
    assert subject.instruction(created_by) == instruction


def test_instructions_without_a_layer_are_left_out() -> None:
    config = replace(
        CONFIG,
        history=(
            HistoryEntry(created_by="FROM scratch"),
            HistoryEntry(created_by="ENV A=1", empty_layer=True),
            HistoryEntry(created_by="COPY . /"),
        ),
    )
    assert subject.instructions(config, 2) == ("FROM scratch", "COPY . /")
    assert subject.instructions(config, 3) == ("", "", "")
