"""The files of an image in a dictionary, and a subject around them that looks like AWS's Python 3.13 base.

`ImageFiles` holds to the `Files` protocol for real: symbolic links resolve inside the image, parents exist,
walks go parents first, `elf` answers only for files that were given ELF facts.
"""

import hashlib
import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from understudy.image import model
from understudy.image.model import Descriptor, HistoryEntry, Image, ImageConfig, ImageIndex, ImageManifest
from understudy.verify.model import Architecture, Elf, Launch, Layer, Node, NodeKind, Subject

TASK = "/var/task"
STDLIB = "/var/lang/lib/python3.13"
SITE_PACKAGES = f"{STDLIB}/site-packages"
SOABI = "cpython-313-x86_64-linux-gnu"
MTIME_S = 1_750_000_000
_LINKS_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One file as a test writes it; what it leaves out is as in an ordinary image.

    Attributes:
        content: of the file; text is encoded as UTF-8.
        mode: permission bits; 0644 for files, 0755 for directories, 0777 for links.
        size_bytes: when the size matters and the content does not; the content's own otherwise.
        elf: facts of an ELF file; its content then only needs to begin like one.
        implied: whether it is a directory that no layer names.
    """

    content: str | bytes = b""
    kind: NodeKind = "file"
    mode: int | None = None
    uid: int = 0
    gid: int = 0
    size_bytes: int | None = None
    mtime_s: int = MTIME_S
    link: str = ""
    layer: int = 0
    elf: Elf | None = None
    implied: bool = False

    @property
    def data(self) -> bytes:
        """The content in bytes."""
        return self.content.encode() if isinstance(self.content, str) else self.content

    def node(self, path: str) -> Node:
        """The node of this file at `path`."""
        usual = {"dir": 0o755, "symlink": 0o777}.get(self.kind, 0o644)
        return Node(
            path=path,
            kind=self.kind,
            mode=usual if self.mode is None else self.mode,
            uid=self.uid,
            gid=self.gid,
            size_bytes=len(self.data) if self.size_bytes is None else self.size_bytes,
            mtime_s=self.mtime_s,
            link=self.link,
            layer=self.layer,
            implied=self.implied,
        )


Content = str | bytes | Elf | Spec


def directory(mode: int = 0o755, **facts: Any) -> Spec:
    """A directory; only needed when its mode, owner or layer matters, or when it is empty."""
    return Spec(kind="dir", mode=mode, **facts)


def link(target: str, **facts: Any) -> Spec:
    """A symbolic link to `target`."""
    return Spec(kind="symlink", link=target, **facts)


def shared_object(*, mode: int = 0o755, layer: int = 0, mtime_s: int = MTIME_S, **facts: Any) -> Spec:
    """An ELF file with `facts` of `Elf`; x86_64 unless they say otherwise."""
    elf = Elf(**{"machine": "x86_64", **facts})
    return Spec(content=b"\x7fELF\x02\x01\x01", mode=mode, layer=layer, mtime_s=mtime_s, elf=elf)


class ImageFiles:
    """`Files` over a dictionary; counts what was read, so that tests can see a missing prefetch.

    Attributes:
        prefetched: paths announced so far.
        reads: paths read so far, in order.
    """

    def __init__(self, entries: Mapping[str, Content]) -> None:
        """Holds `entries` by absolute path; parents that are not named are plain directories of layer 0."""
        self._specs: dict[str, Spec] = {"/": directory()}
        for path, content in entries.items():
            self._add(posixpath.normpath(path), content)
        for path in self._specs:
            if path != "/" and self._specs[posixpath.dirname(path)].kind != "dir":
                raise ValueError(f"{path} is below a link or a file; name the real directory")
        self._children: dict[str, list[str]] = {}
        for path in sorted(self._specs):
            if path != "/":
                self._children.setdefault(posixpath.dirname(path), []).append(posixpath.basename(path))
        self.prefetched: set[str] = set()
        self.reads: list[str] = []

    def _add(self, path: str, content: Content) -> None:
        """Takes in one file and the parents it needs."""
        if not path.startswith("/"):
            raise ValueError(f"{path} is not absolute")
        if isinstance(content, Elf):
            content = Spec(content=b"\x7fELF\x02\x01\x01", mode=0o755, elf=content)
        self._specs[path] = content if isinstance(content, Spec) else Spec(content=content)
        parent = posixpath.dirname(path)
        while parent not in self._specs:
            self._specs[parent] = directory()
            parent = posixpath.dirname(parent)

    def get(self, path: str) -> Node | None:
        """The node at exactly `path`."""
        spec = self._specs.get(path)
        return None if spec is None else spec.node(path)

    def resolve(self, path: str) -> Node | None:
        """The node that `path` leads to."""
        return self._resolve(path, _LINKS_MAX)

    def _resolve(self, path: str, left: int) -> Node | None:
        reached = "/"
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for position, part in enumerate(parts):
            if part == "..":
                reached = posixpath.dirname(reached)
                continue
            reached = posixpath.join(reached, part)
            spec = self._specs.get(reached)
            if spec is None:
                return None
            if spec.kind == "symlink":
                rest = "/".join(parts[position + 1 :])
                target = posixpath.join(posixpath.dirname(reached), spec.link)
                return self._resolve(f"{target}/{rest}", left - 1) if left else None
        return self.get(reached)

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a directory, sorted."""
        node = self.resolve(path)
        if node is None or node.kind != "dir":
            return ()
        return tuple(sorted(self._children.get(node.path, ())))

    def walk(self, path: str = "/") -> Iterator[Node]:
        """Every node below `path`, parents first."""
        start = posixpath.normpath(path)
        for name in sorted(self._children.get(start, ())):
            child = posixpath.join(start, name)
            yield self._specs[child].node(child)
            yield from self.walk(child)

    def head(self, path: str) -> bytes:
        """The first 512 bytes of a file."""
        spec = self._file(path)
        return b"" if spec is None else spec.data[:512]

    def read(self, path: str) -> bytes:
        """The content of a file."""
        spec = self._file(path)
        if spec is None:
            raise FileNotFoundError(path)
        self.reads.append(path)
        return spec.data

    def prefetch(self, paths: Iterable[str]) -> None:
        """Remembers what was announced."""
        self.prefetched.update(paths)

    def elf(self, path: str) -> Elf | None:
        """The facts given for a file."""
        spec = self._file(path)
        return None if spec is None else spec.elf

    def _file(self, path: str) -> Spec | None:
        node = self.resolve(path)
        return self._specs[node.path] if node is not None and node.kind == "file" else None


GLIBC = frozenset({f"GLIBC_2.{minor}" for minor in (2, 3, 4, 14, 17, 28, 32, 33, 34)} | {"GLIBC_2.2.5"})


def aws_base() -> dict[str, Content]:
    """What rules look at in AWS's Python 3.13 base: interpreter, libraries, entry script, runtime."""
    libc = {"libc.so.6": frozenset({"GLIBC_2.2.5", "GLIBC_2.34"})}
    python = Elf(
        machine="x86_64",
        interpreter="/lib64/ld-linux-x86-64.so.2",
        needed=("libpython3.13.so.1.0", "libc.so.6"),
        requires=libc,
    )
    return {
        "/bin": link("usr/bin"),
        "/lib": link("usr/lib"),
        "/lib64": link("usr/lib64"),
        "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
        "/etc/os-release": 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nVERSION_ID="2023"\n',
        "/lambda-entrypoint.sh": Spec(content="#!/bin/sh\nexec /var/runtime/bootstrap\n", mode=0o755),
        "/opt": directory(),
        "/tmp": directory(0o1777),
        "/usr/bin/bash": shared_object(interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libc.so.6",)),
        "/usr/bin/sh": link("bash"),
        "/usr/lib64/ld-linux-x86-64.so.2": shared_object(soname="ld-linux-x86-64.so.2"),
        "/usr/lib64/libc.so.6": shared_object(
            soname="libc.so.6", needed=("ld-linux-x86-64.so.2",), defines=GLIBC
        ),
        "/usr/lib64/libm.so.6": shared_object(
            soname="libm.so.6", needed=("libc.so.6", "ld-linux-x86-64.so.2"), defines=GLIBC
        ),
        "/usr/lib64/libpthread.so.0": shared_object(
            soname="libpthread.so.0", needed=("libc.so.6",), defines=GLIBC
        ),
        "/usr/lib64/libgcc_s.so.1": shared_object(
            soname="libgcc_s.so.1", needed=("libc.so.6",), defines=frozenset({"GCC_3.0", "GCC_4.2.0"})
        ),
        "/usr/lib64/libstdc++.so.6": shared_object(
            soname="libstdc++.so.6",
            needed=("libm.so.6", "libc.so.6", "libgcc_s.so.1"),
            defines=frozenset({"GLIBCXX_3.4", "GLIBCXX_3.4.29", "CXXABI_1.3", "CXXABI_1.3.13"}),
        ),
        "/var/lang/bin/python": link("python3.13"),
        "/var/lang/bin/python3": link("python3.13"),
        "/var/lang/bin/python3.13": Spec(content=b"\x7fELF", mode=0o755, elf=python),
        "/var/lang/lib/libpython3.13.so.1.0": shared_object(
            soname="libpython3.13.so.1.0", needed=("libm.so.6", "libc.so.6"), requires=libc
        ),
        f"{STDLIB}/os.py": "",
        f"{STDLIB}/lib-dynload/_ssl.{SOABI}.so": shared_object(needed=("libc.so.6",), requires=libc),
        f"{SITE_PACKAGES}/README.txt": "",
        "/var/runtime/bootstrap": Spec(
            content="#!/bin/bash\nexec /var/lang/bin/python3.13 /var/runtime/bootstrap.py\n", mode=0o755
        ),
        "/var/runtime/bootstrap.py": "from awslambdaric import bootstrap\n",
        "/var/runtime/awslambdaric/__init__.py": "",
        "/var/runtime/awslambdaric/bootstrap.py": "",
        f"{TASK}": directory(),
    }


AWS_ENV = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    ),
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}


def layer(number: int = 0, **facts: Any) -> Layer:
    """A sound gzip layer; `facts` of `Layer` replace what a test wants otherwise."""
    sound = Layer(
        media_type=model.OCI_LAYER_GZIP,
        digest=digest(f"layer {number}"),
        diff_id=digest(f"diff {number}"),
        actual_diff_id=digest(f"diff {number}"),
        size_bytes=1_000_000,
        uncompressed_bytes=2_500_000,
        instruction=("FROM public.ecr.aws/lambda/python:3.13", "COPY . /var/task")[min(number, 1)],
    )
    return replace(sound, **facts)


def digest(text: str) -> str:
    """The sha256 digest of `text`."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def image(
    layers: Sequence[Layer], *, architecture: str = "amd64", config: Mapping[str, Any] | None = None
) -> Image:
    """An image over `layers`; `config` replaces fields of `ImageConfig`."""
    settings: dict[str, Any] = {
        "architecture": architecture,
        "os": "linux",
        "env": tuple(AWS_ENV.items()),
        "entrypoint": ("/lambda-entrypoint.sh",),
        "cmd": ("handler.handler",),
        "working_dir": TASK,
        "diff_ids": tuple(item.diff_id for item in layers if item.diff_id),
        "history": tuple(HistoryEntry(created_by=item.instruction) for item in layers),
        **(config or {}),
    }
    raw = json.dumps({"layers": [item.digest for item in layers]}).encode()
    return Image(
        manifest=ImageManifest(
            raw=raw,
            media_type=model.OCI_MANIFEST,
            config=Descriptor(media_type=model.OCI_CONFIG, digest=digest("config"), size_bytes=2000),
            layers=tuple(
                Descriptor(media_type=item.media_type, digest=item.digest, size_bytes=item.size_bytes)
                for item in layers
            ),
        ),
        config=ImageConfig(**settings),
    )


def subject(
    files: Mapping[str, Content] | ImageFiles | None = None,
    *,
    base: bool = True,
    layers: Sequence[Layer] | None = None,
    architecture: str = "amd64",
    config: Mapping[str, Any] | None = None,
    index: ImageIndex | None = None,
    exported: bool = False,
    function_architecture: Architecture | None = None,
    **launch: Any,
) -> Subject:
    """An image with `files` over AWS's Python 3.13 base, launched as AWS's base is.

    Args:
        files: by path; they replace those of the base.
        base: whether the files of the base are there at all.
        layers: bottom first; a base layer and a COPY layer when left out.
        architecture: of the image config, in Go's words.
        config: fields of `ImageConfig` that differ; `env`, `entrypoint`, `cmd` and `working_dir` also set
            the launch.
        index: the index that the reference led to.
        exported: whether the image comes from ``docker save``.
        function_architecture: of the function; none is declared when left out.
        launch: fields of `Launch` that differ.
    """
    stack = (layer(0), layer(1)) if layers is None else tuple(layers)
    made = image(stack, architecture=architecture, config=config)
    run: dict[str, Any] = {
        "entrypoint": made.config.entrypoint,
        "command": made.config.cmd,
        "working_dir": made.config.working_dir or "/",
        "image_env": dict(made.config.env),
        "architecture": function_architecture,
        **launch,
    }
    return Subject(
        reference="dashboard:latest",
        image=made,
        index=index,
        layers=stack,
        files=files
        if isinstance(files, ImageFiles)
        else ImageFiles({**(aws_base() if base else {}), **(files or {})}),
        launch=Launch(**run),
        exported=exported,
    )
