"""Run by the interpreter that has testcontainers: starts a LocalStackContainer, ends with its input."""

import json
import sys

from testcontainers.community.localstack import LocalStackContainer


def main() -> None:
    """Starts what the first argument describes in JSON: image, services, env, volumes."""
    asked = json.loads(sys.argv[1])
    container = LocalStackContainer(image=asked["image"], region_name="us-east-1")
    if asked["services"]:
        container.with_services(*asked["services"])
    for name, value in asked["env"].items():
        container.with_env(name, value)
    for path, mode in asked["volumes"].items():
        source, _, target = path.partition(":")
        container.with_volume_mapping(source, target or source, mode)
    with container:
        sys.stdout.write(f"{container.get_url()}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
