"""Caches, time zones, locales and certificates that images lack, and instructions that Lambda ignores."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fakes import image_files as fake
from understudy.image.model import Healthcheck
from understudy.verify.model import Finding, Severity
from understudy.verify.rules import filesystem_settings

HANDLER, SITE = f"{fake.TASK}/handler.py", fake.SITE_PACKAGES
FAILS, MAY_FAIL, INFO = Severity.FAILS, Severity.MAY_FAIL, Severity.INFO
ZONE = "from zoneinfo import ZoneInfo\nBERLIN = ZoneInfo('Europe/Berlin')\n"
GERMAN = "import locale\nlocale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n"
MINIMAL = {"/usr/lib/locale/C.utf8/LC_CTYPE": ""}


def check(files: Mapping[str, fake.Content], **launch: Any) -> list[Finding]:
    handler: dict[str, fake.Content] = {HANDLER: ""}
    return list(filesystem_settings.check(fake.subject({**handler, **files}, **launch)))


@pytest.mark.parametrize(
    ("files", "launch"),
    [
        pytest.param({}, {}, id="aws-base"),
        pytest.param({HANDLER: ZONE, f"{SITE}/tzdata/__init__.py": ""}, {}, id="tzdata"),
        pytest.param({HANDLER: ZONE, "/usr/share/zoneinfo/Europe/Berlin": ""}, {}, id="zoneinfo"),
        pytest.param(
            {HANDLER: ZONE, "/srv/zones/Europe/Berlin": ""},
            {"function_env": {"PYTHONTZPATH": "/srv/zones"}},
            id="tzpath",
        ),
        pytest.param({HANDLER: "ZoneInfo = dict\nZoneInfo('Europe/Berlin')"}, {}, id="another-zone-info"),
        pytest.param({HANDLER: GERMAN, "/usr/lib/locale/de_DE.utf8/LC_CTYPE": ""}, {}, id="locale"),
        pytest.param({HANDLER: GERMAN, "/usr/lib/locale/locale-archive": ""}, {}, id="locale-archive"),
        pytest.param(
            {HANDLER: "import locale\nlocale.setlocale(locale.LC_ALL, 'C.UTF-8')", **MINIMAL}, {}, id="C"
        ),
        pytest.param(
            {HANDLER: "import locale\nlocale.setlocale(locale.LC_ALL)", **MINIMAL}, {}, id="asks-only"
        ),
        pytest.param(
            {HANDLER: "import locale\nlocale.setlocale(locale.LC_ALL, '')", **MINIMAL},
            {"function_env": {"LANG": "C.UTF-8"}},
            id="locale-of-the-environment",
        ),
        pytest.param(
            {HANDLER: "import locale\ntry:\n    locale.setlocale(0, 'xx')\nexcept locale.Error:\n    ..."},
            {},
            id="caught",
        ),
        pytest.param(
            {"/etc/ca.pem": ""}, {"function_env": {"SSL_CERT_FILE": "/etc/ca.pem"}}, id="certificates"
        ),
        pytest.param({}, {"function_env": {"AWS_CA_BUNDLE": "/tmp/ca.pem"}}, id="certificates-of-run-time"),
        pytest.param(
            {f"{SITE}/numba/__init__.py": ""}, {"function_env": {"NUMBA_CACHE_DIR": "/tmp/n"}}, id="numba"
        ),
        pytest.param(
            {f"{SITE}/torch/__init__.py": ""}, {"function_env": {"XDG_CACHE_HOME": "/tmp"}}, id="xdg"
        ),
        pytest.param({}, {"config": {"user": "root"}}, id="root"),
    ],
)
def test_good(files: Mapping[str, fake.Content], launch: Mapping[str, Any]) -> None:
    assert check(files, **launch) == []


@pytest.mark.parametrize(
    ("files", "launch", "rule", "severity", "aws_text", "fix"),
    [
        pytest.param(
            {HANDLER: ZONE},
            {},
            "time-zones-missing",
            MAY_FAIL,
            "ZoneInfoNotFoundError: 'No time zone found with key Europe/Berlin'",
            "RUN /var/lang/bin/python3.13 -m pip install tzdata",
            id="zone",
        ),
        pytest.param(
            {HANDLER: GERMAN, **MINIMAL},
            {},
            "locale-missing",
            FAILS,
            "Error: unsupported locale setting",
            "RUN dnf install -y glibc-langpack-de",
            id="locale",
        ),
        pytest.param(
            {HANDLER: "import locale\nlocale.setlocale(locale.LC_ALL, '')", **MINIMAL},
            {},
            "locale-missing",
            FAILS,
            "Error: unsupported locale setting",
            "RUN dnf install -y glibc-langpack-en",
            id="locale-of-the-base's-LANG",
        ),
        pytest.param(
            {},
            {"function_env": {"REQUESTS_CA_BUNDLE": "/etc/no.pem"}},
            "ca-bundle-missing",
            MAY_FAIL,
            "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /etc/no.pem",
            "remove REQUESTS_CA_BUNDLE, or COPY the bundle to /etc/no.pem",
            id="no-bundle",
        ),
        pytest.param(
            {"/etc/ca.pem": fake.Spec(mode=0o600)},
            {"function_env": {"SSL_CERT_FILE": "/etc/ca.pem"}},
            "ca-bundle-missing",
            MAY_FAIL,
            "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "unable to get local issuer certificate",
            "RUN chmod o+r /etc/ca.pem",
            id="private-bundle",
        ),
        pytest.param(
            {f"{SITE}/numba/__init__.py": "", f"{SITE}/librosa/__init__.py": ""},
            {},
            "cache-directory",
            MAY_FAIL,
            "RuntimeError: cannot cache function: no locator available",
            "ENV NUMBA_CACHE_DIR=/tmp/numba",
            id="librosa",
        ),
        pytest.param(
            {f"{SITE}/matplotlib/__init__.py": ""},
            {},
            "cache-directory",
            INFO,
            "",
            "ENV MPLCONFIGDIR=/tmp/matplotlib",
            id="matplotlib-makes-do",
        ),
    ],
)
def test_finds(
    files: Mapping[str, fake.Content],
    launch: Mapping[str, Any],
    rule: str,
    severity: Severity,
    aws_text: str,
    fix: str,
) -> None:
    (finding,) = check(files, **launch)
    assert (finding.rule, finding.severity) == (rule, severity)
    assert finding.aws_text == aws_text
    assert finding.fix == fix


def test_a_locale_under_a_condition_is_information() -> None:
    text = "import locale\nif x:\n    locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n"
    (finding,) = check({HANDLER: text, **MINIMAL})
    assert finding.severity is INFO


def test_ignored_instructions_are_one_information() -> None:
    config = {
        "user": "1000:1000",
        "exposed_ports": ("8080/tcp",),
        "volumes": ("/data",),
        "stop_signal": "SIGINT",
        "healthcheck": Healthcheck(test=("CMD", "true")),
    }
    (finding,) = check({}, config=config)
    assert (finding.rule, finding.severity) == ("instructions-ignored", INFO)
    assert finding.message == (
        "Lambda ignores USER, HEALTHCHECK, VOLUME, EXPOSE, STOPSIGNAL; "
        "the code runs as 993:990, not as 1000:1000"
    )


@pytest.mark.parametrize(
    ("launch", "told"),
    [
        ({"command": ("uvicorn", "app:app", "--port", "80"), "entrypoint": ()}, True),
        ({"command": ("uvicorn", "app:app", "--port=8080"), "entrypoint": ()}, False),
        ({"function_env": {"AWS_LWA_PORT": "443"}}, True),
    ],
    ids=["option", "high", "variable"],
)
def test_low_ports_of_adapted_servers_are_information(launch: Mapping[str, Any], told: bool) -> None:
    findings = check({"/opt/extensions/lambda-adapter": fake.shared_object()}, **launch)
    assert [item.rule for item in findings] == (["privileged-port"] if told else [])
