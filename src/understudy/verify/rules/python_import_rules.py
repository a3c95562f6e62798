"""The faults of imports, as the catalogue tells them. Data only; `python_imports` decides."""

from understudy.verify.model import Rule, Severity

_RIC = "https://github.com/aws/aws-lambda-python-runtime-interface-client/issues"

MISSING = Rule(
    id="import-missing",
    title="The code imports a module that is nowhere in the image",
    severity=Severity.FAILS,
    catalogue=("A4",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'sqlalchemy'",
    why="The module is imported while the handler is imported, and no directory of sys.path has it. AWS does "
    "not say which file asked for it.",
    fix="RUN python3 -m pip install sqlalchemy",
    link="https://docs.aws.amazon.com/lambda/latest/dg/python-image.html",
)
OFF_PATH = Rule(
    id="dependency-off-path",
    title="A module is in the image, but not where the runtime looks",
    severity=Severity.FAILS,
    catalogue=("A4", "A17"),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'fastapi'",
    why="AWS's runtime starts its own interpreter and looks into the task root, /opt/python and that "
    "interpreter's site-packages. It knows nothing of a virtual environment, of root's user site or of "
    "another Python, and a PYTHONPATH of the user's replaces part of the list.",
    fix="RUN uv export --frozen --no-dev --no-editable -o /tmp/requirements.txt "
    '&& uv pip install --target "${LAMBDA_TASK_ROOT}" -r /tmp/requirements.txt',
    link="https://github.com/astral-sh/uv/issues/8935",
)
CASE = Rule(
    id="import-case",
    title="A module's file name differs in upper and lower case",
    severity=Severity.FAILS,
    catalogue=("A5",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'models'",
    why="File systems of macOS and Windows find Models.py for models; Lambda's does not.",
    fix="RUN mv Models.py models.py",
    link="https://github.com/CodeGenieApp/serverless-express/issues/53",
)
SIBLING = Rule(
    id="import-sibling",
    title="A module beside the importer is imported as if it were at the top",
    severity=Severity.FAILS,
    catalogue=("A0",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app.main': No module named 'routers'",
    why="Started as a script, a module finds its neighbours, because Python puts its directory on sys.path. "
    "Lambda imports it as part of a package from the task root, and does not.",
    fix="write from app import routers in app/main.py",
    link=f"{_RIC}/29",
)
RELATIVE = Rule(
    id="import-relative",
    title="A relative import has no package to start from",
    severity=Severity.FAILS,
    catalogue=("A0",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': "
    "attempted relative import with no known parent package",
    why="A module at the top of the task root belongs to no package, so a leading dot leads nowhere.",
    fix='move the files into a package and set CMD ["package.app.handler"]',
    link=f"{_RIC}/29",
)
NAME = Rule(
    id="import-name-missing",
    title="A name is imported from a module of yours that does not define it",
    severity=Severity.FAILS,
    catalogue=("A4",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': "
    "cannot import name 'router' from 'routes' (/var/task/routes.py)",
    why="The module is there and binds no such name, often because another version of the file was copied.",
    fix="define router in routes.py",
    link=f"{_RIC}/29",
)
STANDARD = Rule(
    id="stdlib-missing",
    title="The image's Python has no such standard module",
    severity=Severity.FAILS,
    catalogue=("A4",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'distutils'",
    why="Python 3.12 and 3.13 removed modules of the standard library, and some images leave out modules "
    "that need a library of their own.",
    fix="RUN python3 -m pip install setuptools",
    link="https://docs.python.org/3/whatsnew/3.13.html#removed-modules-and-apis",
)
METADATA = Rule(
    id="metadata-missing",
    title="The code asks for the metadata of a distribution that has none",
    severity=Severity.FAILS,
    catalogue=("A19",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': "
    "No package metadata was found for myservice",
    why="importlib.metadata reads *.dist-info. Deleting those directories to save space, or copying sources "
    "without installing them, leaves it nothing to read.",
    fix="keep the *.dist-info directories",
    link="https://docs.python.org/3/library/importlib.metadata.html",
)
RULES = (MISSING, OFF_PATH, CASE, SIBLING, RELATIVE, NAME, STANDARD, METADATA)

# PEP 594 and its kin: module -> the first release without it, and what brings it back.
REMOVED = {
    "asynchat": ((3, 12), "pyasynchat"),
    "asyncore": ((3, 12), "pyasyncore"),
    "distutils": ((3, 12), "setuptools"),
    "imp": ((3, 12), ""),
    "smtpd": ((3, 12), "aiosmtpd"),
    "aifc": ((3, 13), "standard-aifc"),
    "audioop": ((3, 13), "audioop-lts"),
    "cgi": ((3, 13), "legacy-cgi"),
    "cgitb": ((3, 13), "legacy-cgi"),
    "chunk": ((3, 13), "standard-chunk"),
    "crypt": ((3, 13), "crypt-r"),
    "imghdr": ((3, 13), "standard-imghdr"),
    "lib2to3": ((3, 13), ""),
    "mailcap": ((3, 13), "standard-mailcap"),
    "nntplib": ((3, 13), "standard-nntplib"),
    "pipes": ((3, 13), "standard-pipes"),
    "sndhdr": ((3, 13), "standard-sndhdr"),
    "sunau": ((3, 13), "standard-sunau"),
    "telnetlib": ((3, 13), "standard-telnetlib"),
    "uu": ((3, 13), "standard-uu"),
    "xdrlib": ((3, 13), "standard-xdrlib"),
}
# Standard modules that are nothing without an extension which some images leave out.
HELPERS = {
    "bz2": "_bz2",
    "compression.zstd": "_zstd",
    "ctypes": "_ctypes",
    "curses": "_curses",
    "dbm.gnu": "_gdbm",
    "lzma": "_lzma",
    "sqlite3": "_sqlite3",
    "ssl": "_ssl",
    "tkinter": "_tkinter",
}
