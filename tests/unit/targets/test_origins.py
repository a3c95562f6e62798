from pathlib import Path

import pytest

from tests.fakes import project
from understudy.targets.launches import FunctionLaunch
from understudy.targets.origins import Origins
from understudy.verify.model import Place
from understudy.verify.render.words import Source
from understudy.verify.subject import LaunchOverrides

DOCKERFILE = """\
FROM base AS code
COPY src /build

FROM base
RUN pip install \\
      -r requirements.txt
COPY --from=code /build ${LAMBDA_TASK_ROOT}/
CMD ["handler.handler"]
"""


@pytest.fixture
def origins(tmp_path: Path) -> Origins:
    workspace = project.make(tmp_path)
    (tmp_path / "app" / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "app" / "shop").mkdir()
    (tmp_path / "app" / "shop" / "app.py").write_text("")
    launch = FunctionLaunch(
        image="shop", function="shop", overrides=LaunchOverrides(), where="deploy/stack.yaml:6"
    )
    return Origins(tmp_path, workspace.image("shop"), launch)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        (Place(path="/var/task/shop/app.py", line=7, layer=2), Source(path="app/shop/app.py", line=7)),
        (
            Place(path="/var/lang/x.so", layer=1, instruction="RUN pip install -r requirements.txt"),
            Source(path="app/Dockerfile", line=5),
        ),
        (Place(path="CMD", instruction='CMD ["handler.handler"]'), Source(path="app/Dockerfile", line=8)),
        (Place(path="CMD"), Source(path="app/Dockerfile", line=8)),
        (Place(path="USER"), Source(path="app/Dockerfile")),
        (
            Place(path="/usr/lib64/libc.so.6", layer=0, instruction="base build"),
            Source(path="app/Dockerfile", line=4),
        ),
        (Place(path="image index"), Source(path="app/Dockerfile")),
        (Place(path="MemorySize"), Source(path="deploy/stack.yaml", line=14)),
        (Place(path="Environment.Variables.STAGE"), Source(path="deploy/stack.yaml", line=15)),
        (Place(path="Timeout"), Source(path="deploy/stack.yaml", line=6)),
    ],
    ids=[
        "source",
        "instruction",
        "config",
        "config-by-name",
        "not-written",
        "base",
        "no-file",
        "function",
        "variable",
        "default",
    ],
)
def test_a_place_leads_to_the_line_that_people_edit(origins: Origins, place: Place, source: Source) -> None:
    assert origins.locate(place) == source


def test_without_a_readable_dockerfile_it_is_named_as_a_whole(origins: Origins, tmp_path: Path) -> None:
    (tmp_path / "app" / "Dockerfile").write_text("NONSENSE\n")
    assert origins.locate(Place(path="CMD")) == Source(path="app/Dockerfile")


def test_a_manifest_that_is_gone_is_still_named(origins: Origins, tmp_path: Path) -> None:
    (tmp_path / "deploy" / "stack.yaml").unlink()
    assert origins.locate(Place(path="MemorySize")) == Source(path="deploy/stack.yaml")


def test_fields_of_a_function_without_a_manifest_lead_to_the_dockerfile(tmp_path: Path) -> None:
    workspace = project.make(tmp_path)
    bare = FunctionLaunch(image="shop", function="", overrides=LaunchOverrides())
    origins = Origins(tmp_path, workspace.image("shop"), bare)
    assert origins.locate(Place(path="MemorySize")) == Source(path="app/Dockerfile")
