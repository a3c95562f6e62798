import pytest

from tests.fakes.image_files import (
    SITE_PACKAGES,
    SOABI,
    STDLIB,
    Content,
    Spec,
    directory,
    link,
    shared_object,
)
from tests.fakes.image_files import subject as aws
from tests.fakes.python_images import MUSL, RIC, executable, slim_subject
from understudy.verify.model import Subject
from understudy.verify.python import interpreter
from understudy.verify.python.interpreter import Interpreter

SLIM_SITE = "/usr/local/lib/python3.12/site-packages"
ENTRY = """#!/bin/sh
# AWS's, as published
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"
RUNTIME_ENTRYPOINT=/var/runtime/bootstrap
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie $RUNTIME_ENTRYPOINT
else
  exec $RUNTIME_ENTRYPOINT
fi
"""


def found(subject: Subject) -> Interpreter:
    python = interpreter.find(subject)
    assert python is not None
    return python


def test_describes_the_python_of_the_aws_base() -> None:
    python = found(aws({"/lambda-entrypoint.sh": Spec(content=ENTRY, mode=0o755)}))
    assert python.executable == python.real_executable == "/var/lang/bin/python3.13"
    assert (python.version, python.version_text, python.implementation) == ((3, 13), "3.13", "cpython")
    assert (python.soabi, python.libc, python.machine) == (SOABI, "glibc", "x86_64")
    assert python.extension_suffixes == (f".{SOABI}.so", ".abi3.so", ".so")
    assert python.magic == b"\xf3\r\r\n"
    assert (python.stdlib, python.prefix, python.task_root) == (STDLIB, "/var/lang", "/var/task")
    assert python.is_aws_base
    assert python.traced
    assert (python.handler, python.entry_module) == ("handler.handler", "handler")


def test_puts_the_interpreters_packages_before_the_runtime_on_aws() -> None:
    assert found(aws({"/opt/python/extra.py": ""})).search_path == (
        "/var/task",
        "/opt/python/lib/python3.13/site-packages",
        "/opt/python",
        SITE_PACKAGES,
        "/var/runtime",
        STDLIB,
        f"{STDLIB}/lib-dynload",
    )


def test_drops_the_additions_of_aws_when_pythonpath_is_set() -> None:
    python = found(aws({"/var/task/src/app.py": ""}, function_env={"PYTHONPATH": "/var/task/src:lib"}))
    assert python.search_path == (
        "/var/task",
        "/var/runtime",
        "/var/task/src",
        "/var/task/lib",
        STDLIB,
        f"{STDLIB}/lib-dynload",
        SITE_PACKAGES,
    )


def test_looks_into_the_runtime_first_before_python_3_11() -> None:
    stdlib = "/var/lang/lib/python3.10"
    old = aws(
        {
            "/bin/sh": executable(),
            "/lambda-entrypoint.sh": "#!/bin/sh\nexec /var/runtime/bootstrap\n",
            "/var/runtime/bootstrap": "#!/bin/sh\nexec /var/lang/bin/python3.10 /var/runtime/bootstrap.py\n",
            "/var/runtime/bootstrap.py": "",
            "/var/lang/bin/python3.10": executable(),
            f"{stdlib}/os.py": "",
            f"{stdlib}/site-packages/six.py": "",
            "/var/task/app.py": "",
        },
        base=False,
    )
    assert found(old).search_path == (
        "/var/task",
        "/opt/python/lib/python3.10/site-packages",
        "/opt/python",
        "/var/runtime",
        stdlib,
        f"{stdlib}/site-packages",
    )


def test_runs_the_pth_files_of_the_task_root() -> None:
    python = found(
        aws(
            {
                "/var/task/paths.pth": "# comment\nvendored\n/var/task/missing\n",
                "/var/task/hook.pth": "import hook; hook.install()\n",
                f"{SITE_PACKAGES}/distutils-precedence.pth": "import os; __import__('_distutils_hack')\n",
                "/var/task/vendored/six.py": "",
            }
        )
    )
    assert python.search_path[-1] == "/var/task/vendored"
    assert python.hooks == ("/var/task/hook.pth",)


@pytest.mark.parametrize(
    "entrypoint",
    [
        ("/usr/local/bin/python", *RIC),
        ("/usr/local/bin/python3.12", *RIC),
        ("python", *RIC),
        ("/usr/bin/env", "python3", *RIC),
        ("/bin/sh", "-c", "exec python -u -m awslambdaric $0"),
        ("/entry.sh",),
        ("/chain.sh",),
        ("/aws-lambda-rie", "--log-level", "debug", "/usr/local/bin/python", *RIC),
        ("tini", "-g", "--", "/entry.sh"),
    ],
    ids=" ".join,
)
def test_follows_the_entrypoint_to_python(entrypoint: tuple[str, ...]) -> None:
    python = found(
        slim_subject(
            {
                "/entry.sh": '#!/bin/sh\nset -e\necho starting\nexec python -m awslambdaric "$@"\n',
                "/chain.sh": '#!/usr/bin/env sh\nif [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then\n'
                "  exec /aws-lambda-rie /entry.sh $@\nelse\n  exec /entry.sh $@\nfi\n",
                "/aws-lambda-rie": executable(),
                "/usr/bin/tini": executable(),
            },
            entrypoint=entrypoint,
        )
    )
    assert python.traced
    assert python.real_executable == "/usr/local/bin/python3.12"
    assert not python.is_aws_base
    assert (python.version, python.soabi) == ((3, 12), "cpython-312-x86_64-linux-gnu")
    assert python.search_path == (
        "/app",
        "/usr/local/lib/python3.12",
        "/usr/local/lib/python3.12/lib-dynload",
        SLIM_SITE,
    )
    if "-c" not in entrypoint:
        assert python.handler == "app.handler"


def test_reads_arrays_and_wrappers_of_the_stand_ins_bootstrap() -> None:
    text = (
        "#!/bin/bash\nruntime=(/var/lang/bin/python3.13 /var/runtime/bootstrap.py)\n"
        'wrapper="$AWS_LAMBDA_EXEC_WRAPPER"\nif [ -z "$wrapper" ]; then\n  exec "${runtime[@]}"\nfi\n'
        'exec -- "$wrapper" "${runtime[@]}"\n'
    )
    assert found(aws({"/var/runtime/bootstrap": Spec(content=text, mode=0o755)})).traced
    wrapped = aws(
        {"/var/runtime/bootstrap": Spec(content=text, mode=0o755), "/opt/wrap": "#!/bin/bash\nexec $@\n"},
        function_env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"},
    )
    assert found(wrapped).hooks == ("/opt/wrap",)


def test_a_virtual_environment_sees_its_own_packages_alone() -> None:
    settings = "home = /usr/local/bin\nversion_info = 3.12.4\n"
    venv: dict[str, Content] = {
        "/app/.venv/pyvenv.cfg": settings,
        "/app/.venv/bin/python": link("/usr/local/bin/python3.12"),
        "/app/.venv/lib/python3.12/site-packages/six.py": "",
    }
    activated = {"PATH": "/app/.venv/bin:/usr/local/bin:/bin"}
    for subject in (
        slim_subject(venv, entrypoint=("/app/.venv/bin/python", *RIC)),
        slim_subject(venv, entrypoint=("python", *RIC), env=activated),
    ):
        python = found(subject)
        assert python.executable == "/app/.venv/bin/python"
        assert python.prefix == "/app/.venv"
        assert python.stdlib == "/usr/local/lib/python3.12"
        assert python.search_path[-1] == "/app/.venv/lib/python3.12/site-packages"
        assert SLIM_SITE not in python.search_path
    venv["/app/.venv/pyvenv.cfg"] = f"{settings}include-system-site-packages = true\n"
    python = found(slim_subject(venv, entrypoint=("/app/.venv/bin/python", *RIC)))
    assert python.search_path[-2:] == ("/app/.venv/lib/python3.12/site-packages", SLIM_SITE)


def test_debians_own_python_has_dist_packages() -> None:
    python = found(
        aws(
            {
                "/etc/debian_version": "12.1\n",
                "/usr/bin/python3": link("python3.11"),
                "/usr/bin/python3.11": executable(),
                "/usr/lib/python3.11/os.py": "",
                "/usr/lib/python3/dist-packages/apt/__init__.py": "",
                "/usr/local/lib/python3.11/dist-packages/awslambdaric/__init__.py": "",
                "/app/app.py": "",
            },
            base=False,
            config={
                "entrypoint": ("/usr/bin/python3", *RIC),
                "cmd": ("app.handler",),
                "working_dir": "/app",
                "env": (),
            },
        )
    )
    assert python.search_path == (
        "/app",
        "/usr/lib/python3.11",
        "/usr/local/lib/python3.11/dist-packages",
        "/usr/lib/python3/dist-packages",
    )
    assert python.soabi == "cpython-311-x86_64-linux-gnu"


def test_an_odd_prefix_is_found_beside_the_executable() -> None:
    home = "/root/.local/share/uv/python/cpython-3.14.0-linux-x86_64-gnu"
    python = found(
        slim_subject(
            {
                f"{home}/bin/python3.14": executable(),
                f"{home}/bin/python3": link("python3.14"),
                f"{home}/lib/python3.14/os.py": "",
                f"{home}/lib/python3.14/_sysconfigdata__linux_x86_64-linux-gnu.py": "",
                f"{home}/lib/python3.14/site-packages/awslambdaric/__main__.py": "",
                "/opt/bin/py": link(f"{home}/bin/python3"),
            },
            entrypoint=("/opt/bin/py", *RIC),
        )
    )
    assert python.version == (3, 14)
    assert python.soabi == "cpython-314-x86_64-linux-gnu"
    assert python.magic == (3627).to_bytes(2, "little") + b"\r\n"


def test_alpine_is_musl_whatever_its_tag_says() -> None:
    tag = "cpython-312-x86_64-linux-musl"
    python = found(
        aws(
            {
                "/usr/local/bin/python3.12": executable(MUSL),
                "/usr/local/lib/python3.12/os.py": "",
                f"/usr/local/lib/python3.12/lib-dynload/_ssl.{tag}.so": shared_object(),
            },
            base=False,
            config={
                "entrypoint": ("/usr/local/bin/python3.12", *RIC),
                "cmd": ("app.handler",),
                "working_dir": "/",
                "env": (),
            },
        )
    )
    assert (python.libc, python.soabi) == ("musl", tag)


def test_a_user_site_counts_only_where_the_sandbox_user_can_look() -> None:
    packages = "/home/app/.local/lib/python3.12/site-packages"
    readable = slim_subject({f"{packages}/six.py": ""}, env={"HOME": "/home/app"})
    assert packages in found(readable).search_path
    private = slim_subject(
        {f"{packages}/six.py": "", "/home/app": directory(0o700)}, env={"HOME": "/home/app"}
    )
    assert packages not in found(private).search_path
    assert packages not in found(slim_subject({f"{packages}/six.py": ""})).search_path


@pytest.mark.parametrize(
    ("cmd", "module", "script"),
    [
        (("uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8080"), "main", ""),
        (("gunicorn", "-b", "0.0.0.0:8080", "web.app:create()"), "web.app", ""),
        (("python", "app.py"), "", "/app/app.py"),
        (("python", "-m", "service.main"), "service.main", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_servers_and_scripts_say_what_they_import(cmd: tuple[str, ...], module: str, script: str) -> None:
    files = {
        f"/usr/local/bin/{name}": f"#!/usr/local/bin/python3.12\nfrom {name} import main\n"
        for name in ("uvicorn", "gunicorn")
    }
    python = found(slim_subject(dict(files), entrypoint=(), cmd=cmd))
    assert (python.entry_module, python.entry_script, python.handler) == (module, script, "")


def test_another_program_is_no_python() -> None:
    assert interpreter.find(slim_subject({"/app/server": executable()}, entrypoint=("/app/server",))) is None
    assert interpreter.find(slim_subject({"/usr/bin/node": executable()}, entrypoint=("node",))) is None


@pytest.mark.parametrize(
    "entry",
    ["#!/bin/sh\r\nexec /var/runtime/bootstrap\r\n", "no shebang\n"],
    ids=["crlf", "no shebang"],
)
def test_a_broken_entry_script_still_means_a_python(entry: str) -> None:
    python = found(aws({"/lambda-entrypoint.sh": Spec(content=entry, mode=0o755)}))
    assert python.is_aws_base
    assert python.real_executable == "/var/lang/bin/python3.13"


def test_nothing_is_found_in_an_empty_image() -> None:
    assert interpreter.find(aws({}, base=False)) is None


def test_the_magic_of_a_later_release_is_read_off_its_library() -> None:
    stdlib = "/usr/local/lib/python3.15"
    magic = (3680).to_bytes(2, "little") + b"\r\n"
    files = {f"{stdlib}/__pycache__/{name}.cpython-315.pyc": magic + b"\0" * 12 for name in ("os", "abc")}
    assert found(slim_subject(dict(files), version="3.15")).magic == magic
    assert found(slim_subject(version="3.15")).magic == b""


def test_options_of_the_interpreter_change_the_path() -> None:
    isolated = found(slim_subject(entrypoint=("python", "-I", *RIC), env={"PYTHONPATH": "/app/lib"}))
    assert isolated.search_path[0] == "/usr/local/lib/python3.12"
    bare = found(slim_subject(entrypoint=("python", "-S", *RIC)))
    assert SLIM_SITE not in bare.search_path
