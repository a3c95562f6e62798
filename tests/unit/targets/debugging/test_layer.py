from pathlib import Path

from understudy.targets.debugging import layer


def test_a_finished_layer_is_used_as_it_is(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (made / "layer").mkdir(parents=True)
    (made / ".complete").touch()
    expected = layer.place_in(tmp_path)
    made.rename(expected)

    assert layer.install(tmp_path) == expected / "layer"


def test_what_runs_before_the_image_s_code_is_python_and_leaves_nothing_behind() -> None:
    compile(layer.SITECUSTOMIZE, "sitecustomize.py", "exec")
    for name in (layer.LISTEN, layer.PATH_BEFORE):
        assert f'os.environ.pop("{name}"' in layer.SITECUSTOMIZE


def test_debugpy_is_locked_by_hashes() -> None:
    text = layer.REQUIREMENTS.read_text()

    assert text.startswith("debugpy==")
    assert "--hash=sha256:" in text
