"""The faults of where files lie, as the catalogue tells them. Data only; `python_layout` decides."""

from understudy.verify.model import Rule, Severity

STANDARD = Rule(
    id="stdlib-shadowed",
    title="A file of yours has the name of a standard module",
    severity=Severity.FAILS,
    catalogue=("A17",),
    aws_text="Runtime.ExitError: Runtime exited with error: exit status 1",
    why="The task root is the first directory of sys.path, so Python's own modules and packages import your "
    "file in place of the standard one. When the runtime client does, even its report of the error fails, "
    "and nothing but an exit is seen.",
    fix="rename the file, and the imports of it",
    link="https://docs.python.org/3/library/sys_path_init.html",
)
PACKAGE = Rule(
    id="package-shadowed",
    title="A file of yours has the name of an installed package",
    severity=Severity.FAILS,
    catalogue=("A17",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'fastapi': "
    "cannot import name 'FastAPI' from partially initialized module 'fastapi' "
    "(most likely due to a circular import) (/var/task/fastapi.py)",
    why="The task root comes before site-packages on sys.path, so everything that imports the package gets "
    "your file.",
    fix="rename the file, and the imports of it",
    link="https://docs.python.org/3/library/sys_path_init.html",
)
PTH = Rule(
    id="pth-runs-code",
    title="A .pth file in the task root runs code at every start",
    severity=Severity.INFO,
    catalogue=("A17",),
    aws_text="",
    why="AWS's runtime calls site.addsitedir for the task root: lines of .pth files that begin with import "
    "are executed before the handler is imported.",
    fix="remove the .pth file, if nothing needs it",
    link="https://docs.python.org/3/library/site.html",
)
RULES = (STANDARD, PACKAGE, PTH)
