"""The descriptions that process 1 of a sandbox works from: which root, and which program in it.

Pure but for the host's resolver files, which arrive as arguments. The documents are JSON for `inner`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from understudy.sandbox import isolation, model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from understudy.image.steps import Step
    from understudy.sandbox.model import SandboxSpec

_MASKED_PROC = "hidepid=2"
"""A process sees its own user's processes only, so neither process 1 nor anything of the host."""


def function_root(
    spec: SandboxSpec,
    *,
    passwd: str,
    resolver: Mapping[str, str],
    user_namespace: bool,
    binds: Sequence[tuple[Path, PurePosixPath]] = (),
) -> dict[str, Any]:
    """The root of an execution environment: read-only but for `/tmp`, no `/dev/shm`, nobody's home.

    Args:
        spec: the environment.
        passwd: the image's own /etc/passwd, empty when it has none.
        resolver: path to content of the host's name resolution files.
        user_namespace: whether overlayfs must use user attributes.
        binds: folders or files of the host to show, read-only: source and target.
    """
    isolated = spec.network == "isolated"
    names = isolation.resolver_files(spec.reachable) if isolated else resolver
    return {
        "layers": [str(layer) for layer in spec.rootfs.layers],
        "writable": None,
        "userxattr": user_namespace,
        "files": {**names, "/etc/passwd": add_sandbox_user(passwd), "/etc/group": "", **spec.files},
        "mounts": [
            [None, "/tmp", False, f"mode=1777,size={spec.ephemeral_mb}m"],  # noqa: S108 - the sandbox's own
            *([str(source), str(target), True, ""] for source, target in binds),
        ],
        "proc_options": _MASKED_PROC,
        "terminals": False,
        "devices": "lambda-dev",
        "hostname": "",
        "network": not isolated,
        "listen": isolation.sockets(spec.reachable) if isolated else [],
    }


def add_sandbox_user(passwd: str) -> str:
    """`passwd` with Lambda's user in it, first if another name has its number: lookups take the first."""
    lines = [line for line in passwd.splitlines() if not line.startswith(f"{model.SANDBOX_USER}:")]
    taken = any(line.split(":")[2:3] == [str(model.SANDBOX_UID)] for line in lines)
    text = "".join(f"{line}\n" for line in lines)
    return model.PASSWD_LINE + text if taken else text + model.PASSWD_LINE


def extensions_beside(spec: SandboxSpec, argv: Sequence[str]) -> tuple[str, ...]:
    """Which extensions are started with `argv`: with the image's own program, not with what else is run."""
    return spec.extensions if tuple(argv) == (*spec.entrypoint, *spec.command) else ()


def function_process(
    spec: SandboxSpec,
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    set_groups: bool,
    cpus: Sequence[int] = (),
    count_by_user: bool = False,
) -> dict[str, Any]:
    """The entry point's process: Lambda's user, limits and no privilege whatever.

    Args:
        spec: the environment.
        argv: the command.
        environment: complete.
        set_groups: whether supplementary groups can be dropped.
        cpus: the CPUs it may use, empty for all.
        count_by_user: whether the process limit must be the user's, for want of a control group.
    """
    rlimits = {name: list(limits) for name, limits in model.RLIMITS.items()}
    if count_by_user:
        rlimits["NPROC"] = [model.MAX_PROCESSES, model.MAX_PROCESSES]
    return {
        "extensions": list(extensions_beside(spec, argv)),
        "extension_env": model.extension_environment(environment),
        "argv": list(argv),
        "env": dict(environment),
        "cwd": spec.working_dir or "/",
        "user": [model.SANDBOX_UID, model.SANDBOX_GID],
        "set_groups": set_groups,
        "rlimits": rlimits,
        "capabilities": 0,
        "no_new_privileges": True,
        "cpus": list(cpus),
        "umask": 0o022,
    }


# Docker's default set (https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities).
_BUILD_CAPABILITIES = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31))


def step_root(step: Step, *, resolver: Mapping[str, str], user_namespace: bool) -> dict[str, Any]:
    """The root of a build step: writable, its changes go to the step's `upper`.

    Args:
        step: what the builder wants to run.
        resolver: path to content of the host's name resolution files.
        user_namespace: whether overlayfs must use user attributes.
    """
    mounts = [
        [str(mount.source) if mount.source else None, str(mount.target), mount.read_only, "mode=1777"]
        for mount in step.mounts
    ]
    return {
        "layers": [str(layer) for layer in step.lower],
        "writable": {"upper": str(step.upper), "work": str(step.work)},
        "userxattr": user_namespace,
        "files": dict(resolver),
        "mounts": [["/sys", "/sys", True, ""], *mounts],
        "proc_options": "",
        "terminals": True,
        "devices": "dev",
        "hostname": "buildkitsandbox",
        "network": step.network,
    }


def step_process(step: Step, *, set_groups: bool) -> dict[str, Any]:
    """The process of a build step: the Dockerfile's user with Docker's capabilities."""
    return {
        "argv": list(step.argv),
        "env": dict(step.env),
        "cwd": step.working_dir or "/",
        "user": step.user,
        "set_groups": set_groups,
        "rlimits": {},
        "capabilities": _BUILD_CAPABILITIES,
        "no_new_privileges": False,
        "cpus": [],
        "umask": 0o022,
    }
