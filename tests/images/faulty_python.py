"""Packages, search path, shadowed names, time zones, metadata, bytecode: rows A4 and A17 to A20."""

from tests.images.case import HANDLER, PIP, Case, on_base, rules

_COLORAMA = {"app.py": "import colorama\n" + HANDLER}
_STALE = (
    "RUN python3 - <<EOF\n"
    "import pathlib, re\n"
    "for one in pathlib.Path('.').rglob('*.pyc'):\n"
    "    data = bytearray(one.read_bytes())\n"
    "    data[4:16] = bytes(4) + (1234567890).to_bytes(4, 'little') + data[12:16]\n"
    "    one.write_bytes(data)\n"
    "EOF"
)

CASES = (
    Case(
        name="packages-in-a-venv",
        row="A4",
        files=_COLORAMA,
        dockerfile=on_base(
            "RUN python3 -m venv --without-pip .venv && "
            "python3 -m pip --python .venv/bin/python install -q --no-cache-dir colorama==0.4.6"
        ),
        static=rules("dependency-off-path"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'colorama'",
        fix="pip install",
    ),
    Case(
        name="packages-of-root",
        row="A4",
        files=_COLORAMA,
        dockerfile=on_base("RUN HOME=/root python3 -m pip install -q --user --no-cache-dir colorama==0.4.6"),
        static=rules("user-site-install"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'colorama'",
        fix="pip install",
    ),
    Case(
        name="requirement-not-installed",
        row="A4",
        files={"app.py": "import requests\n" + HANDLER},
        dockerfile=on_base(packages="--no-deps requests==2.32.3"),
        static=rules("distribution-missing"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'urllib3'",
        fix="pip install",
    ),
    Case(
        name="own-http-that-hides-the-standard-library",
        row="A17",
        files={"app.py": "import urllib.request\n" + HANDLER, "http.py": "OK = 200\n"},
        static=rules("stdlib-shadowed"),
        boot=rules("boot-exit"),
        aws_text="Runtime.ExitError",
        fix="http.py",
    ),
    Case(
        name="own-email-that-hides-the-standard-library",
        row="A17",
        files={"app.py": "import urllib.request\n" + HANDLER, "email.py": "def send(): ...\n"},
        static=rules("stdlib-shadowed"),
        boot=rules("boot-exit"),
        aws_text="Runtime.ExitError",
        fix="email.py",
    ),
    Case(
        name="own-types-that-hides-the-standard-library",
        row="A17",
        files={"app.py": HANDLER, "types.py": "Order = dict\n"},
        dockerfile=on_base(
            "ENV PYTHONPATH=/var/task:/var/runtime",
            'ENTRYPOINT ["/var/lang/bin/python3.13", "-m", "awslambdaric"]',
        ),
        static=rules("stdlib-shadowed"),
        boot=rules("boot-exit"),
        boot_text="Runtime exited with error: exit status 1",
        fix="types.py",
    ),
    Case(
        name="handler-named-like-its-framework",
        row="A17",
        files={"fastapi.py": "from fastapi import FastAPI\napp = FastAPI()\n" + HANDLER},
        dockerfile=on_base(
            packages="fastapi==0.115.6 mangum==0.19.0 pydantic==2.12.5", cmd='["fastapi.handler"]'
        ).replace("COPY . ./", "RUN mkdir -p /opt/python && mv ./* /opt/python/\nCOPY . ./"),
        static=rules("package-shadowed"),
        boot=rules("boot-import-error"),
        aws_text="cannot import name 'FastAPI' from partially initialized module 'fastapi'",
        fix="fastapi.py",
    ),
    Case(
        name="two-of-one-sdk",
        row="A17",
        files={"app.py": "import boto3\n" + HANDLER},
        dockerfile=on_base(
            "RUN mkdir /opt/python && mv boto3 boto3-*.dist-info /opt/python/ "
            f"&& {PIP.replace('--target .', '--target /tmp/old')} --no-deps botocore==1.29.0 "
            "&& rm -rf botocore botocore-* && mv /tmp/old/botocore* ./",
            packages="boto3==1.40.0",
        ),
        static=rules("version-conflict"),
        boot=rules("boot-import-error"),
        boot_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'cgi'",
        fix="pip install",
    ),
    Case(
        name="pythonpath-of-the-user",
        row="A17",
        files=_COLORAMA,
        dockerfile=on_base(
            f"RUN {PIP.replace('--target .', '--target /opt/python')} colorama==0.4.6",
            "ENV PYTHONPATH=/var/task/src",
        ),
        static=rules("dependency-off-path"),
        boot=rules("boot-import-error"),
        aws_text="No module named 'colorama'",
        fix="PYTHONPATH",
    ),
    Case(
        name="time-zone-without-data",
        row="A18",
        files={"app.py": "import zoneinfo\nZONE = zoneinfo.ZoneInfo('Europe/Berlin')\n" + HANDLER},
        dockerfile=on_base("RUN rm -rf /usr/share/zoneinfo"),
        static=rules("time-zones-missing"),
        boot=rules("boot-init-error"),
        aws_text="No time zone found with key Europe/Berlin",
        fix="tzdata",
    ),
    Case(
        name="locale-that-is-not-installed",
        row="A18",
        files={"app.py": "import locale\nlocale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n" + HANDLER},
        static=rules("locale-missing"),
        boot=rules("boot-init-error"),
        aws_text="unsupported locale setting",
        fix="glibc-langpack-de",
    ),
    Case(
        name="certificates-at-a-path-that-is-absent",
        row="A18",
        files={"app.py": "import ssl\nCONTEXT = ssl.create_default_context()\n" + HANDLER},
        dockerfile=on_base("ENV SSL_CERT_FILE=/etc/ssl/company.pem"),
        static=rules("ca-bundle-missing"),
        aws_text="CERTIFICATE_VERIFY_FAILED",
        fix="remove SSL_CERT_FILE",
        passed=True,
    ),
    Case(
        name="metadata-deleted",
        row="A19",
        files={"app.py": "from importlib.metadata import version\nV = version('colorama')\n" + HANDLER},
        dockerfile=on_base("RUN rm -r colorama-*.dist-info", packages="colorama==0.4.6"),
        static=rules("metadata-missing"),
        boot=rules("boot-import-error"),
        aws_text="No package metadata was found for colorama",
        fix="dist-info",
    ),
    Case(
        name="bytecode-stale",
        row="A20",
        files={"app.py": "import fastapi\n" + HANDLER},
        dockerfile=on_base(_STALE, packages="fastapi==0.115.6 mangum==0.19.0 pydantic==2.12.5"),
        static=rules("bytecode-stale"),
        fix="compileall",
        passed=True,
    ),
    Case(
        name="bytecode-missing",
        row="A20",
        files={"app.py": "import fastapi\n" + HANDLER},
        dockerfile=on_base(
            "RUN rm -r __pycache__ */__pycache__ */*/__pycache__",
            packages="fastapi==0.115.6 mangum==0.19.0 pydantic==2.12.5",
        ),
        static=rules("bytecode-missing"),
        fix="compileall",
        passed=True,
    ),
)
