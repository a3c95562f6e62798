"""What is installed: the distributions that `importlib.metadata` would find on the search path.

Reads ``METADATA``, ``RECORD`` and their older forms. Refuses to fail over a damaged one: what cannot be read
is left out of the answer.
"""

import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from understudy.verify.model import Files

_SEPARATORS = re.compile(r"[-_.]+")
_FOLDER = re.compile(r"(?P<name>[^-]+)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?\.(?:dist-info|egg-info)")
_MODULE_ENDINGS = re.compile(r"(?:\.(?:cpython|pypy|abi3)[\w-]*)?\.(?:so|py|pyc)")
_NO_MODULES = (".dist-info", ".egg-info", ".data", ".libs")
# Distributions whose modules have another name; the others are guessed from their own.
MODULES_OF = {
    "attrs": ("attr",),
    "beautifulsoup4": ("bs4",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "opencv-contrib-python": ("cv2",),
    "pillow": ("PIL",),
    "psycopg2-binary": ("psycopg2",),
    "psycopg-binary": ("psycopg_binary",),
    "pycryptodome": ("Crypto",),
    "pycryptodomex": ("Cryptodome",),
    "pyjwt": ("jwt",),
    "pymysql": ("pymysql",),
    "pyopenssl": ("OpenSSL",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-jose": ("jose",),
    "python-json-logger": ("pythonjsonlogger",),
    "python-multipart": ("python_multipart", "multipart"),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn",),
    "setuptools": ("setuptools", "pkg_resources"),
    "aws-lambda-powertools": ("aws_lambda_powertools",),
    "aws-xray-sdk": ("aws_xray_sdk",),
    "googleapis-common-protos": ("google",),
    "protobuf": ("google",),
    "importlib-metadata": ("importlib_metadata",),
    "markupsafe": ("markupsafe",),
    "mysqlclient": ("MySQLdb",),
    "snapshot-restore-py": ("snapshot_restore_py",),
    "websocket-client": ("websocket",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution.

    Attributes:
        name: as its metadata writes it.
        key: the name as packages are compared by.
        version: as its metadata writes it; empty when unknown.
        requires: Requires-Dist lines.
        requires_python: Requires-Python; empty when it says nothing.
        folder: the directory of the search path that has it.
        metadata: path of its metadata directory or file.
        modules: top-level names that it provides.
        files_known: whether `modules` comes from its list of files, not from its name.
        local: whether it was installed from a directory of the user's, by ``direct_url.json``.
        editable: that directory, when its code stays there; empty otherwise.
    """

    name: str
    key: str
    version: str
    requires: tuple[str, ...]
    requires_python: str
    folder: str
    metadata: str
    modules: frozenset[str]
    files_known: bool = True
    local: bool = False
    editable: str = ""


def canonical(name: str) -> str:
    """Returns the form of a distribution's name that all its spellings share."""
    return _SEPARATORS.sub("-", name).lower()


def installed(files: Files, search_path: Iterable[str]) -> tuple[Distribution, ...]:
    """Returns the distributions of `search_path` in its order, those that others hide included."""
    found: list[Distribution] = []
    for folder in search_path:
        for name in files.names(folder):
            if name.endswith((".dist-info", ".egg-info")):
                distribution = _read(files, folder, name)
                if distribution is not None:
                    found.append(distribution)
    return tuple(found)


def effective(distributions: Iterable[Distribution]) -> dict[str, Distribution]:
    """Returns by key the distribution that Python sees of each name: the first on the search path."""
    seen: dict[str, Distribution] = {}
    for distribution in distributions:
        seen.setdefault(distribution.key, distribution)
    return seen


def modules_of(key: str) -> tuple[str, ...]:
    """Returns the top-level modules that a distribution most likely provides, by its name alone."""
    return MODULES_OF.get(key) or (key.replace("-", "_"),)


def distribution_of(module: str) -> str:
    """Returns the distribution to install for a top-level module, by its name alone."""
    for key, names in MODULES_OF.items():
        if module in names and module not in ("google", "attr", "multipart"):
            return key
    return module.replace("_", "-") if module.islower() else module


def _read(files: Files, folder: str, name: str) -> Distribution | None:
    place = posixpath.join(folder, name)
    node = files.resolve(place)
    if node is None:
        return None
    source = place if node.kind == "file" else _first(files, place, ("METADATA", "PKG-INFO"))
    fields = _headers(_text(files, source)) if source else {}
    match = _FOLDER.fullmatch(name)
    found = (fields.get("name") or [match["name"] if match else ""])[0]
    if not found:
        return None
    version = (fields.get("version") or [(match["version"] if match else "") or ""])[0]
    record = _names_of_files(_text(files, f"{place}/RECORD") if node.kind == "dir" else "")
    listed = frozenset(_text(files, f"{place}/top_level.txt").split()) if node.kind == "dir" else frozenset()
    origin = _origin(_text(files, f"{place}/direct_url.json") if node.kind == "dir" else "")
    key = canonical(found)
    return Distribution(
        name=found,
        key=key,
        version=version,
        requires=tuple(fields.get("requires-dist", ())),
        requires_python=(fields.get("requires-python") or [""])[0],
        folder=folder,
        metadata=place,
        modules=record or listed or frozenset(modules_of(key)),
        files_known=bool(record or listed),
        local=bool(origin),
        editable=_directory(origin) if origin.get("dir_info", {}).get("editable") else "",
    )


def _first(files: Files, place: str, names: Iterable[str]) -> str:
    return next((f"{place}/{name}" for name in names if files.resolve(f"{place}/{name}")), "")


def _text(files: Files, path: str) -> str:
    try:
        return files.read(path).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _headers(text: str) -> dict[str, list[str]]:
    """The header of a METADATA file; continuation lines belong to fields that nobody asks for."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            fields.setdefault(name.strip().lower(), []).append(value.strip())
    return fields


def _names_of_files(record: str) -> frozenset[str]:
    return frozenset(_top_levels(record))


def _top_levels(record: str) -> Iterator[str]:
    seen: set[str] = set()
    for line in record.splitlines():
        path = line.strip('"').split(",", 1)[0]
        first, slash, _ = path.partition("/")
        if first in seen or not first:
            continue
        seen.add(first)
        if first in ("..", "__pycache__", ".") or first.endswith(
            (".dist-info", ".egg-info", ".data", ".libs")
        ):
            continue
        if slash:
            yield first
        elif first.endswith((".py", ".so", ".pyc")):
            yield _MODULE_ENDINGS.sub("", first)


def _origin(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) and str(value.get("url", "")).startswith("file:") else {}


def _directory(origin: dict[str, Any]) -> str:
    return str(origin.get("url", "")).removeprefix("file://")
