"""What one RUN step sees of this machine: certificates, package indexes, proxies, names.

A company's network needs them to reach its indexes at all. They exist for the step alone: nothing of them is
in a layer, in the image's environment or in a cache key, so two machines still build one digest. What the
image or the Dockerfile sets itself wins.
"""

from __future__ import annotations

import configparser
import contextlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from understudy.image.steps import Mount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRIVATE: Final = PurePosixPath("/run/understudy")
_BUNDLE: Final = PRIVATE / "ca.pem"
_CA_VARIABLES: Final = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
)
_HOST_VARIABLES: Final = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
)
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PASSED: Final = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_TRUSTED_HOST",
    "PIP_DEFAULT_TIMEOUT",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "NPM_CONFIG_REGISTRY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)

_PIP_OPTIONS: Final = ("index-url", "extra-index-url", "trusted-host")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """This machine, as far as a step needs it.

    Attributes:
        environment: of this process.
        root: where its files are looked up; another directory in tests.
    """

    environment: Mapping[str, str]
    root: Path = Path("/")

    def bundle(self) -> Path | None:
        """Returns the file with the certificate authorities that this machine trusts."""
        named = (self.environment.get(name) for name in _HOST_VARIABLES)
        for text in (*named, *_BUNDLES):
            path = self.root / text.lstrip("/") if text else None
            if path is not None and path.is_file():
                return path
        return None

    def mounts(self) -> Iterator[Mount]:
        """Yields the read-only mounts of a step: certificates, resolver, host names."""
        bundle = self.bundle()
        if bundle is not None:
            yield Mount(kind="bind", target=_BUNDLE, source=bundle, read_only=True)
        for name in ("etc/resolv.conf", "etc/hosts"):
            source = self.root / name
            if source.is_file():
                yield Mount(
                    kind="bind", target=PurePosixPath("/") / name, source=source.resolve(), read_only=True
                )
        for place in self._local_indexes():
            yield Mount(
                kind="bind", target=PurePosixPath(place), source=self.root / place.lstrip("/"), read_only=True
            )

    def variables(self) -> dict[str, str]:
        """Returns the environment of a step that comes from this machine."""
        found = self._pip_settings()
        found |= {name: self.environment[name] for name in _PASSED if self.environment.get(name)}
        if self.bundle() is not None:
            found |= dict.fromkeys(_CA_VARIABLES, str(_BUNDLE))
        return found

    def _pip_settings(self) -> dict[str, str]:
        """Returns what pip's own files here say about indexes, as the variables that pip reads."""
        home = self.environment.get("HOME", "").lstrip("/")
        files = [self.root / "etc/pip.conf"]
        if home:
            files += [self.root / home / ".pip/pip.conf", self.root / home / ".config/pip/pip.conf"]
        parser = configparser.RawConfigParser()
        with contextlib.suppress(configparser.Error, UnicodeDecodeError):
            parser.read(files)
        found = {}
        for option in _PIP_OPTIONS:
            words = parser.get("global", option, fallback="").split()
            kept = [word for word in words if not word.startswith(("file:", "/"))]
            if kept:
                found[f"PIP_{option.replace('-', '_').upper()}"] = " ".join(kept)
        return found

    def _local_indexes(self) -> list[str]:
        """Directories on this machine that pip's settings name, as `file://` or as a path."""
        words = " ".join(self.environment.get(name, "") for name in _PASSED[:3]).split()
        places = [word.removeprefix("file://") for word in words if word.startswith(("/", "file:///"))]
        return [place for place in places if (self.root / place.lstrip("/")).exists()]
