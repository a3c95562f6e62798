"""The faults between Lambda's first exec and the handler's first line, as the catalogue tells them.

Data only; what decides is in the `entry` modules.
"""

from understudy.verify.model import Rule, Severity

_IMAGES = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"
_RIC = "https://github.com/aws/aws-lambda-python-runtime-interface-client"
_BASE = "https://github.com/aws/aws-lambda-base-images/issues"

PROGRAM_MISSING = Rule(
    id="entrypoint-missing",
    title="The program that ENTRYPOINT or CMD names does not exist",
    severity=Severity.FAILS,
    catalogue=("A6",),
    aws_text="Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [PROGRAM]",
    why="Lambda executes the first word of ENTRYPOINT and CMD: an absolute path, or a name found on PATH.",
    fix='ENTRYPOINT ["/absolute/path/of/an/existing/program"]',
    link="https://github.com/iwpnd/fastapi-aws-lambda-example/issues/7",
)
OVERRIDE = Rule(
    id="image-config-override",
    title="ImageConfig of the function leaves the image without a program to run",
    severity=Severity.FAILS,
    catalogue=("A5", "A6"),
    aws_text=(
        "Runtime.InvalidEntrypoint: Couldn't find valid bootstrap(s): [app.handler] "
        "Entrypoint: [] Cmd: [app.handler] WorkingDir: [/var/task]"
    ),
    why="Command replaces CMD alone. An image that starts its runtime from CMD, or a function whose "
    "EntryPoint was set to the handler, has no runtime left to execute.",
    fix='set ImageConfig.EntryPoint to ["/usr/local/bin/python", "-m", "awslambdaric"] as well',
    link="https://github.com/aws/aws-cli/issues/5785",
)
SHEBANG_MISSING = Rule(
    id="entrypoint-interpreter-missing",
    title="The interpreter that a script's first line names does not exist",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /entry.sh: no such file or directory",
    why="The kernel reports the script as missing when it is the program after #! that is missing.",
    fix="change the first line of the script to an interpreter of the image, such as #!/bin/sh",
    link="https://github.com/aws-samples/aws-lambda-layer-kubectl/issues/39",
)
LOADER_MISSING = Rule(
    id="entrypoint-loader-missing",
    title="The entry point is linked for another C library",
    severity=Severity.FAILS,
    catalogue=("A1", "A8"),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /app/bootstrap: no such file or directory",
    why="The kernel reports the program as missing when it is the dynamic loader inside it that is missing, "
    "as with a glibc binary on Alpine or a musl binary on Amazon Linux.",
    fix="build the program in a stage that has the same base image",
    link="https://github.com/aws/aws-lambda-base-images/issues",
)
CRLF = Rule(
    id="entrypoint-crlf",
    title="A script has Windows line endings",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /entry.sh: no such file or directory",
    why="The kernel takes the carriage return for a part of the interpreter's name; no such program exists.",
    fix="RUN sed -i 's/\\r$//' /entry.sh",
    link="https://github.com/ericc-ch/copilot-api/issues/137",
)
NOT_EXECUTABLE = Rule(
    id="entrypoint-not-executable",
    title="Lambda's user may not execute the entry point",
    severity=Severity.FAILS,
    catalogue=("A8", "A9"),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /entry.sh: permission denied",
    why="Lambda runs the entry point as uid 993, which has neither root's powers nor the owner's bits.",
    fix="RUN chmod 755 /entry.sh",
    link="https://github.com/tk3369/aws-lambda-container-julia/issues/2",
)
NO_SHEBANG = Rule(
    id="entrypoint-without-shebang",
    title="The entry point is a text file that names no interpreter",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /entry.sh: exec format error",
    why="A shell runs such a file itself, so it works in a terminal; Lambda asks the kernel, which refuses.",
    fix="make #!/bin/sh the first line of /entry.sh",
    link=_IMAGES,
)
WRONG_MACHINE = Rule(
    id="entrypoint-architecture",
    title="The entry point is a binary for another processor",
    severity=Severity.FAILS,
    catalogue=("A7",),
    aws_text="Runtime.InvalidEntrypoint: fork/exec /usr/local/bin/python3.13: exec format error",
    why="A machine with qemu-user installed runs foreign binaries without a word; Lambda does not.",
    fix="docker buildx build --platform linux/amd64 --provenance=false .",
    link=f"{_BASE}/26",
)
SYMLINK = Rule(
    id="entrypoint-symlink",
    title="ENTRYPOINT is a symbolic link or no absolute path",
    severity=Severity.INFO,
    catalogue=("A6",),
    aws_text="",
    why="AWS documents that ENTRYPOINT must be an absolute path and no link. Most published images break "
    "that with /usr/local/bin/python and start, so this is told and not failed.",
    fix='ENTRYPOINT ["/usr/local/bin/python3.13", "-m", "awslambdaric"]',
    link=_IMAGES,
)
WORKING_DIR = Rule(
    id="working-directory-missing",
    title="The working directory does not exist or cannot be entered",
    severity=Severity.FAILS,
    catalogue=("A6",),
    aws_text="Runtime.InvalidWorkingDir: chdir /srv: no such file or directory",
    why="Lambda changes to the working directory before it executes the entry point, and creates none.",
    fix="WORKDIR /var/task",
    link=_IMAGES,
)
ARGUMENTS = Rule(
    id="entrypoint-arguments",
    title="AWS's entry script gets another number of arguments than one",
    severity=Severity.FAILS,
    catalogue=("A5",),
    aws_text="entrypoint requires the handler name to be the first argument\n"
    "Runtime.ExitError: Runtime exited with error: exit status 142",
    why="/lambda-entrypoint.sh takes the handler and nothing else, and exits with 142 otherwise.",
    fix='CMD ["app.handler"]',
    link=f"{_BASE}/9",
)
SHELL_FORM = Rule(
    id="command-shell-form",
    title="CMD is in shell form and hands a shell to the runtime",
    severity=Severity.FAILS,
    catalogue=("A5",),
    aws_text="entrypoint requires the handler name to be the first argument\n"
    "Runtime.ExitError: Runtime exited with error: exit status 142",
    why="CMD that is no JSON list, single quotes included, becomes /bin/sh -c TEXT; the runtime then takes "
    "/bin/sh for the handler.",
    fix='CMD ["app.handler"]',
    link="https://docs.docker.com/reference/dockerfile/#shell-and-exec-form",
)
SERVER = Rule(
    id="server-without-runtime",
    title="A web server is started, and nothing talks to Lambda",
    severity=Severity.FAILS,
    catalogue=("A6",),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="Lambda opens no port: a function asks the Runtime API for events. A web server that nothing asks "
    "for waits until init times out.",
    fix="COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:1.0.1 "
    "/lambda-adapter /opt/extensions/lambda-adapter",
    link="https://github.com/aws-samples/sample-serverless-mcp-servers/issues/17",
)
CLIENT_MISSING = Rule(
    id="runtime-client-missing",
    title="The interpreter cannot import awslambdaric",
    severity=Severity.FAILS,
    catalogue=("A4", "A6"),
    aws_text="/usr/local/bin/python: No module named awslambdaric\n"
    "Runtime.ExitError: Runtime exited with error: exit status 1",
    why="Images that are not made from AWS's base bring the runtime interface client themselves, for the "
    "interpreter that ENTRYPOINT names.",
    fix="RUN pip install awslambdaric",
    link=_RIC,
)
CLIENT_OLD = Rule(
    id="runtime-client-old",
    title="awslambdaric is too old for this image",
    severity=Severity.FAILS,
    catalogue=("A0", "A4"),
    aws_text="ModuleNotFoundError: No module named 'imp'\n"
    "Runtime.ExitError: Runtime exited with error: exit status 1",
    why="Releases before 1.1.0 import a module that Python 3.12 removed, and those before 1.2.0 know no / in "
    "the name of a handler.",
    fix="RUN pip install --upgrade awslambdaric",
    link=f"{_RIC}/blob/main/RELEASE.CHANGELOG.md",
)
HANDLER_UNSET = Rule(
    id="handler-not-set",
    title="The runtime client gets no handler",
    severity=Severity.FAILS,
    catalogue=("A0",),
    aws_text="ValueError: Handler not set\nRuntime.ExitError: Runtime exited with error: exit status 1",
    why="python -m awslambdaric takes the handler as its argument; CMD and ImageConfig.Command are empty.",
    fix='CMD ["app.handler"]',
    link=_RIC,
)
MALFORMED = Rule(
    id="handler-malformed",
    title="The handler is not written as MODULE.FUNCTION",
    severity=Severity.FAILS,
    catalogue=("A5",),
    aws_text="Runtime.MalformedHandlerName: Bad handler 'app': "
    "not enough values to unpack (expected 2, got 1)",
    why="The runtime client splits at the last dot: module, then name. The colon is uvicorn's way.",
    fix='CMD ["app.handler"]',
    link="https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html",
)
BUILT_IN = Rule(
    id="handler-built-in",
    title="The handler's module has the name of a module built into Python",
    severity=Severity.FAILS,
    catalogue=("A0", "A17"),
    aws_text="Runtime.BuiltInModuleConflict: Cannot use built-in module sys as a handler module",
    why="Built-in modules win over files of the same name, so the runtime client refuses them.",
    fix="rename the module and CMD with it",
    link=_RIC,
)
HANDLER_MISSING = Rule(
    id="handler-missing",
    title="The handler's module is not in the image",
    severity=Severity.FAILS,
    catalogue=("A0", "A5"),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'",
    why="The module is looked for where Python looks for every module: the task root first on AWS's base, "
    "the working directory on others.",
    fix="COPY app.py ${LAMBDA_TASK_ROOT}/",
    link="https://docs.aws.amazon.com/lambda/latest/dg/python-image.html",
)
ATTRIBUTE = Rule(
    id="handler-attribute-missing",
    title="The handler's module does not define the handler",
    severity=Severity.FAILS,
    catalogue=("A0", "A5"),
    aws_text="Runtime.HandlerNotFound: Handler 'handler' missing on module 'app'",
    why="After the import the runtime client takes the name after the last dot from the module.",
    fix='CMD ["app.handler"]',
    link="https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html",
)
BOOTSTRAP = Rule(
    id="bootstrap-not-executable",
    title="/var/runtime/bootstrap cannot be executed",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="/lambda-entrypoint.sh: line 14: /var/runtime/bootstrap: Permission denied\n"
    "Runtime.ExitError: Runtime exited with error: exit status 126",
    why="AWS's entry script executes it as Lambda's user.",
    fix="RUN chmod 755 /var/runtime/bootstrap",
    link="https://github.com/aws/aws-lambda-runtime-interface-emulator/issues/58",
)
WRAPPER = Rule(
    id="exec-wrapper",
    title="The program in AWS_LAMBDA_EXEC_WRAPPER is missing or not executable",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="/opt/wrapper: does not exist\nRuntime.ExitError: Runtime exited with error: exit status 127",
    why="The bootstrap of AWS's base runs the wrapper in place of Python and gives up when it cannot.",
    fix="COPY --chmod=755 wrapper /opt/wrapper",
    link="https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html",
)
EXTENSION_MODE = Rule(
    id="lambda-extension-not-executable",
    title="A file in /opt/extensions cannot be executed",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="Extension.LaunchError: fork/exec /opt/extensions/agent: permission denied",
    why="Lambda starts every file of that directory as a process before the runtime, and init fails with it.",
    fix="RUN chmod 755 /opt/extensions/agent",
    link="https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
)
EXTENSION_MACHINE = Rule(
    id="lambda-extension-architecture",
    title="A file in /opt/extensions is for another processor",
    severity=Severity.FAILS,
    catalogue=("A7", "A8"),
    aws_text="Extension.LaunchError: fork/exec /opt/extensions/agent: exec format error",
    why="Extensions are copied from images and archives of their own, often without naming the platform.",
    fix="COPY --from=EXTENSION_IMAGE of the function's own architecture",
    link="https://github.com/elastic/apm-aws-lambda/issues/92",
)

RULES = (
    PROGRAM_MISSING,
    OVERRIDE,
    SHEBANG_MISSING,
    LOADER_MISSING,
    CRLF,
    NOT_EXECUTABLE,
    NO_SHEBANG,
    WRONG_MACHINE,
    SYMLINK,
    WORKING_DIR,
    ARGUMENTS,
    SHELL_FORM,
    SERVER,
    CLIENT_MISSING,
    CLIENT_OLD,
    HANDLER_UNSET,
    MALFORMED,
    BUILT_IN,
    HANDLER_MISSING,
    ATTRIBUTE,
    BOOTSTRAP,
    WRAPPER,
    EXTENSION_MODE,
    EXTENSION_MACHINE,
)
