"""What of a function's configuration AWS refuses, or makes a sound image fail, as the catalogue tells it.

Data only. The texts are AWS's; values of variables never appear in them, because they may be secrets.
"""

from understudy.verify.model import Rule, Severity

_VARIABLES = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
_LIFECYCLE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"
BAD_VARIABLES = (
    "InvalidParameterValueException: Lambda was unable to configure your environment variables because the "
    "environment variables you have provided"
)

TOO_LARGE = Rule(
    id="environment-too-large",
    title="Environment variables of the function exceed 4 KB",
    severity=Severity.FAILS,
    catalogue=("A15",),
    aws_text=f'{BAD_VARIABLES} exceeded the 4KB limit. String measured: {{"NAME":"VALUE"',
    why="The function's variables together, written as JSON with names, quotes and commas, may have 4096 "
    "bytes. Variables of the image do not count.",
    fix="move the longest variable to Secrets Manager or SSM Parameter Store, or to ENV of the image",
    link="https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html",
)
RESERVED = Rule(
    id="environment-reserved-key",
    title="The function sets a variable that Lambda reserves",
    severity=Severity.FAILS,
    catalogue=("A15",),
    aws_text=f"{BAD_VARIABLES} contains reserved keys that are currently not supported for modification. "
    "Reserved keys used in this request: AWS_REGION",
    why="Lambda sets these itself, so a deployment that names one is refused.",
    fix="remove AWS_REGION from the function's environment variables",
    link=_VARIABLES,
)
NAME = Rule(
    id="environment-name-invalid",
    title="The name of a variable is not one that Lambda takes",
    severity=Severity.FAILS,
    catalogue=("A15",),
    aws_text="ValidationException: 1 validation error detected: Value '{1X=VALUE}' at "
    "'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must "
    "satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]",
    why="Names begin with a letter, have two characters at least, and letters, digits and _ only.",
    fix="rename the variable",
    link=_VARIABLES,
)
OVERWRITTEN = Rule(
    id="environment-overwritten",
    title="ENV of the image sets a variable that Lambda sets itself",
    severity=Severity.INFO,
    catalogue=("A15", "A23"),
    aws_text="",
    why="Lambda's own value wins, so the image's has no effect there.",
    fix="remove ENV AWS_REGION from the Dockerfile",
    link=_VARIABLES,
)
MISSING = Rule(
    id="environment-variable-missing",
    title="The code needs an environment variable at import that nothing sets",
    severity=Severity.FAILS,
    catalogue=("A0", "A15"),
    aws_text="KeyError: 'DB_URL'",
    why="The handler's module is imported before any event; what it looks up at module level must be set by "
    "the image, by the function or by Lambda.",
    fix="add DB_URL to the function's environment variables",
    link=_VARIABLES,
)
LIMIT = Rule(
    id="function-limit",
    title="Memory, timeout or /tmp of the function is out of Lambda's range",
    severity=Severity.FAILS,
    catalogue=("A12", "A13"),
    aws_text="ValidationException: 1 validation error detected: Value '64' at 'memorySize' failed to satisfy "
    "constraint: Member must have value greater than or equal to 128",
    why="Memory is 128 to 10240 MB, timeout 1 to 900 s, /tmp 512 to 10240 MB.",
    fix="set memorySize to 128 at least",
    link="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
)
SNAPSTART = Rule(
    id="snapstart-unsupported",
    title="The function asks for SnapStart and the image does not qualify",
    severity=Severity.FAILS,
    catalogue=("A16",),
    aws_text="",
    why="SnapStart takes AWS's Python base from 3.12 on, or another base with the label that says it calls "
    "the restore API; /tmp at its smallest size. Publishing a version fails otherwise.",
    fix='LABEL com.amazonaws.lambda.feature.snapstart="Allow"',
    link="https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html",
)
ELIGIBLE = Rule(
    id="snapstart-eligible",
    title="The image qualifies for SnapStart",
    severity=Severity.INFO,
    catalogue=("A20",),
    aws_text="",
    why="Published versions then restore a snapshot in place of running init.",
    fix="set snapStart.applyOn to PublishedVersions, and publish versions",
    link="https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html",
)
MEMORY = Rule(
    id="memory-below-peak",
    title="The function has less memory than the boot needed",
    severity=Severity.FAILS,
    catalogue=("A12",),
    aws_text="REPORT RequestId: ID Memory Size: 128 MB Max Memory Used: 128 MB Status: error "
    "Error Type: Runtime.OutOfMemory",
    why="There is no swap: the kernel kills the runtime at the limit. On Python 3.12 and earlier the text is "
    "Runtime exited with error: signal: killed.",
    fix="set memorySize to 256",
    link="https://github.com/DataDog/datadog-lambda-extension/pull/776",
)
MEMORY_TIGHT = Rule(
    id="memory-tight",
    title="The boot came close to the function's memory",
    severity=Severity.MAY_FAIL,
    catalogue=("A12",),
    aws_text="REPORT RequestId: ID Memory Size: 128 MB Max Memory Used: 128 MB Status: error "
    "Error Type: Runtime.OutOfMemory",
    why="A larger request, or an import that the boot did not reach, takes the rest.",
    fix="set memorySize to 256",
    link="https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html",
)
TIMEOUT = Rule(
    id="timeout-below-first-request",
    title="The first request takes longer than the function's timeout",
    severity=Severity.FAILS,
    catalogue=("A13", "A21"),
    aws_text="Sandbox.Timedout: RequestId: ID Error: Task timed out after 3.00 seconds",
    why="The default is 3 s. The first request also pays for what the code does lazily, once.",
    fix="set timeout to 30",
    link="https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html",
)
INIT_LONG = Rule(
    id="init-near-limit",
    title="Init takes more than half of the time that Lambda gives it",
    severity=Severity.SLOW,
    catalogue=("A13",),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="Init may take 10 s; AWS loads the image over a network and is often slower than this machine.",
    fix="import what init does not need where it is used; understudy verify shows what takes the time",
    link=_LIFECYCLE,
)
INIT_TIMEOUT = Rule(
    id="init-timeout",
    title="Init takes longer than Lambda gives it",
    severity=Severity.MAY_FAIL,
    catalogue=("A13",),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="After 10 s Lambda starts init again within the first request, under the function's timeout: module "
    "code runs twice, and the request fails when the timeout is shorter than init.",
    fix="move what takes the time out of module level, or set timeout above init",
    link=_LIFECYCLE,
)

RULES = (
    TOO_LARGE,
    RESERVED,
    NAME,
    OVERWRITTEN,
    MISSING,
    LIMIT,
    SNAPSTART,
    ELIGIBLE,
    MEMORY,
    MEMORY_TIGHT,
    TIMEOUT,
    INIT_LONG,
    INIT_TIMEOUT,
)
