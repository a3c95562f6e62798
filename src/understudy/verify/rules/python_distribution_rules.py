"""The faults of installed distributions, as the catalogue tells them.

Data only; `python_distributions` decides.
"""

from understudy.verify.model import Rule, Severity

MISSING = Rule(
    id="distribution-missing",
    title="An installed package requires one that is not installed",
    severity=Severity.FAILS,
    catalogue=("A4",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'starlette'",
    why="Installing with --no-deps, or copying single packages, leaves out what they require. pip check says "
    "so for the Python it runs in; this is for the Python that runs the handler.",
    fix="RUN python3 -m pip install starlette",
    link="https://pip.pypa.io/en/stable/cli/pip_check/",
)
CONFLICT = Rule(
    id="version-conflict",
    title="Two installed packages do not go together",
    severity=Severity.MAY_FAIL,
    catalogue=("A4", "A17"),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': "
    "cannot import name 'DEFAULT_CIPHERS' from 'urllib3.util.ssl_' (/var/task/urllib3/util/ssl_.py)",
    why="One was installed on top of the other by a second pip install, or the first directory of sys.path "
    "that has it belongs to another set of packages, such as AWS's boto3 in /var/runtime.",
    fix="install all requirements by one pip install",
    link="https://github.com/boto/botocore/issues/3082",
)
PYTHON = Rule(
    id="python-requirement",
    title="An installed package requires another Python",
    severity=Severity.MAY_FAIL,
    catalogue=("A4",),
    aws_text="Runtime.UserCodeSyntaxError: Syntax error in module 'app': "
    "invalid syntax (_compat.py, line 12)",
    why="pip refuses to install it for this Python; packages copied from another Python are not asked.",
    fix="RUN python3 -m pip install --upgrade PACKAGE",
    link="https://packaging.python.org/en/latest/guides/dropping-older-python-versions/",
)
HIDDEN = Rule(
    id="distribution-hidden",
    title="A package is installed where another release of it comes first",
    severity=Severity.MAY_FAIL,
    catalogue=("A17",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': "
    "cannot import name 'resolve_auth_type' from 'botocore.auth' (/var/runtime/botocore/auth.py)",
    why="Up to Python 3.10, and whenever PYTHONPATH is set, AWS's images look into /var/runtime before the "
    "interpreter's own site-packages, so that AWS's boto3 wins over the one that pip installed.",
    fix='RUN python3 -m pip install --target "${LAMBDA_TASK_ROOT}" boto3',
    link="https://github.com/aws/aws-lambda-base-images/issues/172",
)
RULES = (MISSING, CONFLICT, PYTHON, HIDDEN)
