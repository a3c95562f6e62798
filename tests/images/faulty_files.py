"""Files that Lambda's user cannot use, and a disk that cannot be written: rows A9, A10 and A22."""

from tests.images.case import HANDLER, Case, on_base, rules

_PACKAGE = {"app.py": "from pkg import VALUE\n" + HANDLER, "pkg/__init__.py": "VALUE = 1\n"}

CASES = (
    Case(
        name="file-0600",
        row="A9",
        dockerfile=on_base("RUN chmod 600 app.py"),
        static=rules("unreadable-file"),
        boot=rules("boot-file-unreadable"),
        aws_text="PermissionError: [Errno 13] Permission denied: '/var/task/app.py'",
        fix="chmod -R o+rX",
    ),
    Case(
        name="package-0700",
        row="A9",
        files=_PACKAGE,
        dockerfile=on_base("RUN chmod 700 pkg"),
        static=rules("unreadable-package"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'app': "
        "cannot import name 'VALUE' from 'pkg' (unknown location)",
        fix="chmod -R o+rX",
    ),
    Case(
        name="search-path-0700",
        row="A9",
        files={"app.py": "import inner\n" + HANDLER, "lib/inner.py": "VALUE = 1\n"},
        dockerfile=on_base("RUN mv lib /opt/python && chmod 700 /opt/python"),
        static=rules("unreadable-path"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'inner'",
        fix="chmod -R o+rX",
    ),
    Case(
        name="data-file-0600",
        row="A9",
        files={"app.py": "CONFIG = open('/var/task/config.ini').read()\n" + HANDLER, "config.ini": "[x]\n"},
        dockerfile=on_base("RUN chmod 600 config.ini"),
        static=rules("unreadable-file"),
        boot=rules("boot-file-unreadable"),
        aws_text="PermissionError: [Errno 13] Permission denied: '/var/task/config.ini'",
        fix="chmod",
    ),
    Case(
        name="write-to-home-at-import",
        row="A10",
        files={"app.py": "import os\nos.makedirs(os.path.expanduser('~/.cache/app'))\n" + HANDLER},
        static=rules("write-outside-tmp"),
        boot=rules("boot-write-outside-tmp"),
        aws_text="OSError: [Errno 30] Read-only file system: '/home/sbx_user1051'",
        fix="/tmp",
    ),
    Case(
        name="log-file-beside-the-code",
        row="A10",
        files={"app.py": "LOG = open('/var/task/app.log', 'w')\n" + HANDLER},
        static=rules("write-outside-tmp"),
        boot=rules("boot-write-outside-tmp"),
        aws_text="OSError: [Errno 30] Read-only file system: '/var/task/app.log'",
        fix="/tmp",
    ),
    Case(
        name="write-that-is-survived",
        row="A10",
        files={"app.py": "try:\n    open('/var/task/x', 'w')\nexcept OSError:\n    pass\n" + HANDLER},
        passed=True,
    ),
    Case(
        name="files-of-an-ignored-user",
        row="A22",
        dockerfile=on_base(
            "RUN echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd",
            "RUN chown 1000:1000 app.py && chmod 700 app.py",
            "USER app",
        ),
        static=rules("unreadable-file"),
        boot=rules("boot-file-unreadable"),
        aws_text="PermissionError: [Errno 13] Permission denied: '/var/task/app.py'",
        fix="chmod -R o+rX",
    ),
    Case(
        name="packages-of-an-ignored-user",
        row="A22",
        files={"app.py": "import colorama\n" + HANDLER},
        dockerfile=on_base(
            "RUN mkdir -p /home/app && chown 1000:1000 /home/app && chmod 700 /home/app "
            "&& echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd",
            "USER app",
            "RUN python3 -m pip install -q --user --no-cache-dir colorama==0.4.6",
        ),
        static=rules("user-site-install"),
        boot=rules("boot-import-error"),
        aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'colorama'",
        fix="pip install",
    ),
)
