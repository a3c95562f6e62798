from pathlib import Path

import pytest

from tests.fakes.docker_engine import FakeDockerEngine
from tests.fakes.registry import FakeRegistry
from tests.unit.image.samples import file as stored_file
from tests.unit.image.samples import image_of, store_at
from tests.unit.verify.samples import Layout, docker_save, file, write_tar
from understudy.errors import UnderstudyError
from understudy.image.registry.auth import Auth
from understudy.image.registry.http import RegistryHttp
from understudy.image.store import Store
from understudy.verify import sources, subject
from understudy.verify.sources import Outside
from understudy.verify.sources.engine import DockerEngine


def outside(
    engine: FakeDockerEngine | None = None, registries: dict[str, FakeRegistry] | None = None
) -> Outside:
    """An engine and registries without sockets; what a test does not name is not there."""

    def way_to(host: str) -> RegistryHttp:
        fake = (registries or {}).get(host, FakeRegistry())
        return RegistryHttp(
            host, auth=Auth.anonymous(), insecure_http=True, sleep=lambda _: None, transport=fake.transport()
        )

    local = engine or FakeDockerEngine({}, down=True)
    return Outside(
        environment={},
        engine=lambda _: DockerEngine("unix:///none", transport=local.transport()),
        registry=way_to,
    )


def names(reference: str, store: Store, beyond: Outside | None = None) -> tuple[str, ...]:
    with sources.open(reference, store=store, outside=beyond or outside()) as source:
        assert source.reference == reference
        return subject.load(source).files.names("/")


def save(path: Path, name: str) -> bytes:
    return write_tar(path, docker_save([file(name)])).read_bytes()


def pushed(repository: str, name: str) -> FakeRegistry:
    layout = Layout()
    digest = layout.image([file(name)])["digest"]
    fake = FakeRegistry()
    blobs = {f"sha256:{key[-64:]}": data for key, data in layout.files.items() if key.startswith("blobs/")}
    fake.blobs[repository] = blobs
    kind = "application/vnd.oci.image.manifest.v1+json"
    fake.manifests[repository] = {"latest": (kind, blobs[digest]), digest: (kind, blobs[digest])}
    return fake


def test_written_kinds_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_at(tmp_path / "store")
    made = Layout()
    made.add(made.image([file("from-layout")]), "v1")
    folder, packed = made.write(tmp_path / "layout"), made.archive(tmp_path / "oci.tar")
    save(tmp_path / "docker.tar", "from-docker")
    for reference in (
        f"oci:{folder}",
        f"oci:{folder}:v1",
        str(folder),
        f"oci-archive:{packed}",
        f"oci-archive:{packed}:v1",
        str(packed),
    ):
        assert names(reference, store) == ("from-layout",), reference
    for reference in (
        f"docker-archive:{tmp_path}/docker.tar",
        f"docker-archive:{tmp_path}/docker.tar:app:1",
        f"{tmp_path}/docker.tar",
    ):
        assert names(reference, store) == ("from-docker",), reference
    monkeypatch.chdir(tmp_path)
    for reference in ("layout", "./layout", "oci:layout:v1", "oci.tar"):
        assert names(reference, store) == ("from-layout",), reference


def test_a_path_that_holds_a_colon_is_a_path(tmp_path: Path) -> None:
    made = Layout()
    folder = made.add(made.image([file("a")]), "v1").write(tmp_path / "x:y")
    assert names(f"oci:{folder}", store_at(tmp_path / "store")) == ("a",)
    assert names(f"oci:{folder}:v1", store_at(tmp_path / "store")) == ("a",)


def test_docker_and_docker_daemon_ask_the_engine(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    engine = FakeDockerEngine({"app:1": save(tmp_path / "app.tar", "from-engine")})
    for reference in ("docker://app:1", "docker-daemon:app:1"):
        assert names(reference, store, outside(engine)) == ("from-engine",)


def test_a_bare_name_is_the_stores_then_the_engines_then_the_registrys(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    engine = FakeDockerEngine({"app:latest": save(tmp_path / "app.tar", "from-engine")})
    hub = {"docker.io": pushed("library/app", "from-registry")}
    assert names("app", store, outside(None, hub)) == ("from-registry",)
    assert names("app", store, outside(engine, hub)) == ("from-engine",)
    image = image_of(store, [stored_file("from-store")], tag="app:latest")
    assert names("app", store, outside(engine, hub)) == ("from-store",)
    assert names(image.digest[:20], store, outside(engine, hub)) == ("from-store",)


def test_a_name_with_a_registry_is_not_the_engines(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    engine = FakeDockerEngine({"localhost:4566/app": save(tmp_path / "app.tar", "from-engine")})
    registries = {"localhost:4566": pushed("app", "from-registry")}
    assert names("localhost:4566/app", store, outside(engine, registries)) == ("from-registry",)
    assert engine.requests == []


@pytest.mark.parametrize(
    ("reference", "code", "message"),
    [
        pytest.param("app:1", "image-unknown", "not in the store, no local Docker engine answers", id="name"),
        pytest.param("docker://app:1", "docker-unreachable", "does not answer", id="engine"),
        pytest.param("docker://", "reference-invalid", "names no image", id="no name"),
        pytest.param("docker://--help", "reference-invalid", "names no image", id="an option"),
        pytest.param("oci:/nowhere/x", "image-unknown", "does not exist", id="path"),
        pytest.param("./nowhere.tar", "image-unknown", "does not exist", id="file"),
        pytest.param("registry.test/app:1", "registry-not-found", "no such image", id="registry"),
        pytest.param("UPPER CASE", "image-unknown", "cannot be found", id="no reference"),
        pytest.param("", "image-unknown", "cannot be found", id="empty"),
        pytest.param(f"sha256:{'0' * 64}", "image-unknown", "cannot be found", id="digest"),
        pytest.param("a\0b", "image-unknown", "cannot be found", id="zero byte"),
    ],
)
def test_every_failure_names_the_next_step(tmp_path: Path, reference: str, code: str, message: str) -> None:
    with pytest.raises(UnderstudyError, match=message) as caught:
        names(reference, store_at(tmp_path / "store"))
    assert caught.value.code == code
    assert caught.value.hint


def test_a_folder_without_an_image_is_an_error_when_it_was_meant(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="is no OCI image layout"):
        names(str(tmp_path), store_at(tmp_path / "store"))
