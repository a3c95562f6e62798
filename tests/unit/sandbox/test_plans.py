"""What process 1 is asked to do."""

import dataclasses
from pathlib import Path, PurePosixPath

from understudy.image.rootfs import Rootfs
from understudy.image.steps import Mount, Step
from understudy.sandbox import plans
from understudy.sandbox.model import Endpoint, SandboxSpec

SPEC = SandboxSpec(
    rootfs=Rootfs(layers=(Path("/l/1"), Path("/l/2"))),
    entrypoint=("/e",),
    command=(),
    working_dir="",
    environment={},
    ephemeral_mb=1024,
)


def test_function_root_is_read_only_with_a_sized_tmp() -> None:
    plan = plans.function_root(SPEC, passwd="", resolver={"/etc/hosts": "h"}, user_namespace=True)
    assert plan["layers"] == ["/l/1", "/l/2"]
    assert plan["writable"] is None
    assert plan["mounts"] == [[None, "/tmp", False, "mode=1777,size=1024m"]]
    assert plan["files"]["/etc/hosts"] == "h"
    assert plan["files"]["/etc/group"] == ""
    assert plan["userxattr"]


def test_binds_are_read_only() -> None:
    binds = [(Path("/src"), PurePosixPath("/var/task"))]
    plan = plans.function_root(SPEC, passwd="", resolver={}, user_namespace=False, binds=binds)
    assert plan["mounts"][1] == ["/src", "/var/task", True, ""]


def test_sandbox_user_is_added_to_the_images_users() -> None:
    assert plans.add_sandbox_user("root:x:0:0::/root:/bin/sh") == (
        "root:x:0:0::/root:/bin/sh\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
    )


def test_sandbox_user_comes_first_where_the_image_uses_its_number() -> None:
    text = plans.add_sandbox_user("root:x:0:0::/root:/bin/sh\ncoredump:x:993:993::/:/bin/false\n")
    assert text.startswith("sbx_user1051:x:993:")
    assert "coredump" in text


def test_function_process_has_lambdas_user_and_limits() -> None:
    request = plans.function_process(SPEC, ["/e"], {"A": "b"}, set_groups=True, cpus=[0, 1])
    assert request["user"] == [993, 990]
    assert request["capabilities"] == 0
    assert request["no_new_privileges"]
    assert request["rlimits"]["NOFILE"] == [1024, 1024]
    assert request["cwd"] == "/"


def test_step_is_root_with_dockers_capabilities_and_its_mounts_in_order() -> None:
    step = Step(
        lower=(Path("/l/1"),),
        upper=Path("/u"),
        work=Path("/w"),
        argv=("/bin/sh", "-c", "true"),
        env={"A": "b"},
        working_dir="/x",
        user="app",
        mounts=(
            Mount(kind="tmpfs", target=PurePosixPath("/t"), source=None, read_only=False),
            Mount(kind="secret", target=PurePosixPath("/s"), source=Path("/host/s"), read_only=True),
        ),
        network=False,
    )
    root = plans.step_root(step, resolver={}, user_namespace=False)
    assert root["writable"] == {"upper": "/u", "work": "/w"}
    assert [mount[1] for mount in root["mounts"]] == ["/sys", "/t", "/s"]
    assert not root["network"]
    process = plans.step_process(step, set_groups=False)
    assert process["user"] == "app"
    assert process["capabilities"] == 0xA80425FB
    assert not process["set_groups"]


def test_isolated_root_has_names_of_its_own_and_sockets_to_hand_over() -> None:
    spec = dataclasses.replace(
        SPEC, network="isolated", reachable=(Endpoint(host="engine.test", port=4566),), files={"/opt/a": "b"}
    )
    plan = plans.function_root(spec, passwd="", resolver={"/etc/hosts": "host's"}, user_namespace=False)
    assert plan["network"] is False
    assert [port for _, _, port in plan["listen"]] == [0, 53, 4566]
    assert "engine.test" in plan["files"]["/etc/hosts"]
    assert plan["files"]["/opt/a"] == "b"


def test_shared_network_wants_no_sockets() -> None:
    plan = plans.function_root(SPEC, passwd="", resolver={}, user_namespace=False)
    assert plan["network"] is True
    assert plan["listen"] == []
