"""A real, small Lambda image without a registry: this interpreter, what it needs, and a runtime client.

The client is sixty lines over a socket and streams what a generator yields; images with AWS's own client are
tested end to end elsewhere.
"""

import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from understudy.image import digests, model
from understudy.image.store import Store

_INTERPRETER = Path(sys.executable).resolve()
_TIME = 1_700_000_000

_CLIENT = """
import base64, importlib, json, os, socket, sys

host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
connection = socket.create_connection((host, int(port)))
reader = connection.makefile("rb")


def call(method, path, body=b""):
    head = f"{method} /2018-06-01/runtime/{path} HTTP/1.1\\r\\nHost: {host}\\r\\nContent-Length: {len(body)}"
    connection.sendall(head.encode() + b"\\r\\n\\r\\n" + body)
    return answer()


def answer():
    reader.readline()
    headers = {}
    while (line := reader.readline().strip()):
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return headers, reader.read(int(headers.get("content-length", 0)))


def stream(request_id, content_type, chunks):
    head = f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1\\r\\nHost: {host}\\r\\n"
    head += "Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n"
    head += "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n"
    connection.sendall(f"{head}Content-Type: {content_type}\\r\\n\\r\\n".encode())
    trailers = ""
    try:
        for chunk in chunks:
            connection.sendall(b"%x\\r\\n%b\\r\\n" % (len(chunk), chunk))
    except Exception as exc:
        body = base64.b64encode(json.dumps({"errorMessage": str(exc)}).encode()).decode()
        trailers = f"Lambda-Runtime-Function-Error-Type: {type(exc).__name__}\\r\\n"
        trailers += f"Lambda-Runtime-Function-Error-Body: {body}\\r\\n"
    connection.sendall(f"0\\r\\n{trailers}\\r\\n".encode())
    answer()


sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
while True:
    headers, event = call("GET", "invocation/next")
    request_id = headers["lambda-runtime-aws-request-id"]
    try:
        result = handler(json.loads(event), headers)
        if hasattr(result, "__next__"):
            # A generator streams; what it yields first is the content type.
            stream(request_id, next(result), result)
            continue
        call("POST", f"invocation/{request_id}/response", json.dumps(result).encode())
    except Exception as exc:
        error = {"errorType": type(exc).__name__, "errorMessage": str(exc), "stackTrace": []}
        call("POST", f"invocation/{request_id}/error", json.dumps(error).encode())
"""

_HANDLER = """
import os, socket, sys, time

TEXT = "{text}"
started = time.time()
calls = 0


def handler(event, headers):
    global calls
    calls += 1
    print("handling", calls, flush=True)
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "gate" in event:
        with socket.create_connection(("127.0.0.1", event["gate"])) as gate:
            gate.recv(1)
    if "exit" in event:
        os._exit(event["exit"])
    if "error" in event:
        raise ValueError(event["error"])
    return {{
        "text": TEXT, "calls": calls, "pid": os.getpid(), "started": started, "event": event,
        "uid": os.getuid(), "environment": dict(os.environ),
        "arn": headers["lambda-runtime-invoked-function-arn"],
    }}
"""


@cache
def _files() -> tuple[Path, ...]:
    """Everything that the client and the handler touch: modules, extensions, shared libraries."""
    probe = (
        "import sys, base64, json, socket, importlib, threading, time, urllib.parse\n"
        "import encodings.utf_8, encodings.latin_1, encodings.idna\n"
        "files = {m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)}\n"
        "print('\\n'.join(sorted(files)))"
    )
    command = [str(_INTERPRETER), "-S", "-I", "-B", "-c", probe]
    modules = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    found = {_INTERPRETER, *map(Path, modules)}
    for path in tuple(found):
        if path.suffix != ".py":
            found |= _libraries(path)
    return tuple(sorted(found))


def _libraries(path: Path) -> set[Path]:
    text = subprocess.run(["ldd", str(path)], check=False, capture_output=True, text=True).stdout
    words = (word for line in text.splitlines() for word in line.split())
    return {Path(word) for word in words if word.startswith("/")}


def _layer(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    folders: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, (data, mode) in sorted(files.items()):
            for parent in reversed(Path(name).parents[:-1]):
                if str(parent) not in folders:
                    folders.add(str(parent))
                    archive.addfile(_entry(str(parent), 0o755, tarfile.DIRTYPE))
            entry = _entry(name, mode, tarfile.REGTYPE)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _entry(name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.type, entry.mtime = mode, kind, _TIME
    return entry


@cache
def _base_layer() -> bytes:
    files = {str(path).lstrip("/"): (path.read_bytes(), 0o755) for path in _files()}
    files["var/runtime/client.py"] = (_CLIENT.encode(), 0o644)
    for folder in ("tmp", "proc", "dev", "sys", "etc"):
        files[f"{folder}/.keep"] = (b"", 0o644)
    return _layer(files)


def put_runtime_image(
    store: Store,
    text: str = "one",
    *,
    handler: str = _HANDLER,
    architecture: str = "amd64",
    scripts: Mapping[str, str] = MappingProxyType({}),
    script_mode: int = 0o755,
    program: str = "/var/runtime/client.py",
) -> str:
    """The digest of an image in `store` whose function answers with `text`.

    Args:
        store: gets the image.
        text: in the handler.
        handler: source of the handler's module.
        architecture: as the image says it.
        scripts: further Python programs, path to source; they are executable by themselves.
        script_mode: of these.
        program: what the entry point runs.
    """
    code = handler.format(text=text).encode() if handler == _HANDLER else handler.encode()
    line = f"#!{_INTERPRETER} -S\n"
    more = {path.lstrip("/"): ((line + source).encode(), script_mode) for path, source in scripts.items()}
    tars = [_base_layer(), _layer({"var/task/app.py": (code, 0o644), **more})]
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Env": ["PATH=/bin", "PYTHONDONTWRITEBYTECODE=1"],
            "Entrypoint": [str(_INTERPRETER), "-S", program],
            "Cmd": ["app.handler"],
            "WorkingDir": "/var/task",
        },
        "rootfs": {"type": "layers", "diff_ids": [digests.of(tar) for tar in tars]},
    }
    layers = [gzip.compress(tar, compresslevel=1, mtime=0) for tar in tars]
    raw_config = json.dumps(config).encode()
    for blob in (*layers, raw_config):
        store.put(blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": model.OCI_MANIFEST,
        "config": _descriptor(model.OCI_CONFIG, raw_config),
        "layers": [_descriptor(model.OCI_LAYER_GZIP, layer) for layer in layers],
    }
    return store.put_image(model.parse_manifest(json.dumps(manifest).encode()))


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digests.of(data), "size": len(data)}
