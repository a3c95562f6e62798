"""What the image lacks for libraries: caches, time zones, locales, certificates; and what Lambda ignores."""

import ast
import posixpath
import re
from collections.abc import Iterator

from understudy.verify.model import Finding, Place, Severity, Subject
from understudy.verify.python import analysis
from understudy.verify.python.analysis import Analysis
from understudy.verify.rules import entry_code, entry_launch, entry_user_code
from understudy.verify.rules import filesystem_access as access
from understudy.verify.rules import filesystem_rules as rules
from understudy.verify.rules.entry_user_code import UserModule
from understudy.verify.rules.found import found

# Library, the variable that moves its cache, what a write to the usual place does.
_CACHES = (
    ("numba", "NUMBA_CACHE_DIR", "RuntimeError: cannot cache function: no locator available"),
    ("matplotlib", "MPLCONFIGDIR", ""),
    ("huggingface_hub", "HF_HOME", "PermissionError or OSError: [Errno 30] Read-only file system"),
    ("nltk", "NLTK_DATA", "LookupError: Resource not found"),
    ("torch", "TORCH_HOME", "OSError: [Errno 30] Read-only file system"),
    ("fontconfig", "XDG_CACHE_HOME", ""),
)
# They compile with cache=True at import, which raises where no cache can be written.
_CACHE_AT_IMPORT = ("librosa", "umap", "pynndescent", "resampy")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_DIR")
_ZONES = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
_LOCALES = "/usr/lib/locale"
_EVERYWHERE = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
_PORT = re.compile(r"(?:--port[= ]|-p[= ]|:)(\d{1,5})\b")
_INSTRUCTIONS = ("USER", "HEALTHCHECK", "VOLUME", "EXPOSE", "STOPSIGNAL")


def check(subject: Subject) -> Iterator[Finding]:
    """Yields what the image lacks, and what of its Dockerfile Lambda ignores."""
    yield from _certificates(subject)
    yield from _ignored(subject)
    yield from _port(subject)
    known = analysis.of(subject)
    if known is not None:
        yield from _caches(subject, known)
        yield from _time_zones(subject, known)
        yield from _locales(subject, known)


def _caches(subject: Subject, known: Analysis) -> Iterator[Finding]:
    environment = subject.launch.environment
    for library, variable, text in _CACHES:
        module = known.finder.find(library)
        if module is None or not module.path:
            continue
        value = environment.get(variable, "")
        cache_home = environment.get("XDG_CACHE_HOME", "")
        if value.startswith(("/tmp", "/mnt")) or (not value and cache_home.startswith("/tmp")):  # noqa: S108
            continue
        users = [name for name in _CACHE_AT_IMPORT if known.finder.find(name) is not None]
        breaks = library == "numba" and bool(users)
        yield found(
            rules.CACHE,
            places=[subject.place(module.path)],
            message=f"{library} keeps a cache where {variable} says, which is "
            + (value or "not set")
            + (f", and {users[0]} needs it at import" if breaks else ""),
            fix=f"ENV {variable}=/tmp/{library}",
            aws_text=text,
            severity=Severity.MAY_FAIL if breaks else None,
        )


def _time_zones(subject: Subject, known: Analysis) -> Iterator[Finding]:
    if known.finder.find("tzdata") is not None:
        return
    for module in entry_user_code.modules(subject):
        for node in module.nodes if module.has(b"ZoneInfo") else ():
            if isinstance(node, ast.Call) and _called(module, node) == "zoneinfo.ZoneInfo":
                key = entry_code.constant(node.args[0] if node.args else None)
                if key and not _has_zone(subject, key):
                    yield found(
                        rules.TIME_ZONES,
                        places=[subject.place(module.path, line=node.lineno)],
                        message=f"{module.name} uses the time zone {key}, and the image has neither "
                        "/usr/share/zoneinfo nor tzdata",
                        fix=f"RUN {known.python.executable} -m pip install tzdata",
                        aws_text=f"ZoneInfoNotFoundError: 'No time zone found with key {key}'",
                    )
                    return


def _called(module: UserModule, node: ast.Call) -> str:
    return entry_code.full_name(node.func, module.names)


def _has_zone(subject: Subject, key: str) -> bool:
    folders = subject.launch.environment.get("PYTHONTZPATH", "").split(":")
    return any(
        subject.files.resolve(posixpath.join(folder, key)) is not None
        for folder in (*folders, *_ZONES)
        if folder.startswith("/")
    )


def _locales(subject: Subject, known: Analysis) -> Iterator[Finding]:
    files = subject.files
    if known.python.libc == "musl" or files.resolve(f"{_LOCALES}/locale-archive") is not None:
        return
    for module in entry_user_code.modules(subject):
        for item in module.executed if module.has(b"setlocale") else ():
            node = item.node
            if not isinstance(node, ast.Call) or item.survives("Error", "locale.Error"):
                continue
            if _called(module, node) != "locale.setlocale" or len(node.args) < 2:
                continue
            wanted = _locale(subject, node.args[1])
            if wanted and not _has_locale(subject, wanted):
                yield found(
                    rules.LOCALE,
                    places=[subject.place(module.path, line=node.lineno)],
                    message=f"{module.name} sets the locale {wanted} at import, and the image has none",
                    fix=f"RUN dnf install -y glibc-langpack-{wanted[:2].lower()}",
                    severity=Severity.FAILS if module.sure and item.sure else Severity.INFO,
                )


def _locale(subject: Subject, node: ast.expr) -> str:
    """The locale that a call asks for; empty when it is not known or there always."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return ""
    environment = subject.launch.environment
    wanted = node.value or environment.get("LC_ALL") or environment.get("LANG") or ""
    return "" if wanted in _EVERYWHERE else wanted


def _has_locale(subject: Subject, wanted: str) -> bool:
    """Whether glibc finds it: it compares code sets without case and hyphens."""
    plain = wanted.partition("@")[0]
    name, dot, codeset = plain.partition(".")
    stored = {f"{name}.{codeset.lower().replace('-', '')}" if dot else name, wanted, plain}
    return not stored.isdisjoint(subject.files.names(_LOCALES))


def _certificates(subject: Subject) -> Iterator[Finding]:
    for variable in _BUNDLES:
        path = subject.launch.environment.get(variable, "")
        if not path.startswith("/") or path.startswith(("/tmp/", "/mnt/")):  # noqa: S108 - Lambda's own /tmp
            continue
        node = subject.files.resolve(path)
        if node is None:
            reason, fix = "does not exist", f"remove {variable}, or COPY the bundle to {path}"
        elif access.barrier(subject.files, path) or not access.allows(node, access.READ):
            reason, fix = f"has mode {access.octal(node)}", f"RUN chmod o+r {path}"
        else:
            continue
        yield found(
            rules.CERTIFICATES,
            places=[entry_launch.variable_place(subject, variable)],
            message=f"{variable} names {path}, which {reason}",
            fix=fix,
            aws_text=f"OSError: Could not find a suitable TLS CA certificate bundle, invalid path: {path}"
            if variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
            else None,
        )


def _ignored(subject: Subject) -> Iterator[Finding]:
    config = subject.image.config
    values = (
        config.user if config.user not in ("", "0", "root") else "",
        config.healthcheck,
        config.volumes,
        config.exposed_ports,
        config.stop_signal,
    )
    names = [name for name, value in zip(_INSTRUCTIONS, values, strict=True) if value]
    if names:
        yield found(
            rules.IGNORED,
            places=[*(Place(path=name) for name in names)],
            message=f"Lambda ignores {', '.join(names)}"
            + (
                f"; the code runs as {access.USER_ID}:{access.GROUP_ID}, not as {config.user}"
                if values[0]
                else ""
            ),
        )


def _port(subject: Subject) -> Iterator[Finding]:
    launch = subject.launch
    line = " ".join((*launch.entrypoint, *launch.command))
    ports = {int(port) for port in _PORT.findall(line)}
    for variable in ("PORT", "AWS_LWA_PORT"):
        value = launch.environment.get(variable, "")
        ports |= {int(value)} if value.isdecimal() else set()
    low = sorted(port for port in ports if 0 < port < 1024)
    if low and entry_launch.extensions(subject):
        yield found(
            rules.PORT,
            places=[entry_launch.program_place(subject)],
            message=f"port {low[0]} is below 1024, and Lambda's user has no privileges",
        )
