"""What only a boot can show, as the catalogue tells it: data, no check.

The findings are made by `verify.boot.findings` from what the boot saw. A boot stands in for Lambda but has
neither its network nor its services, so a rule about those never says more than it may fail.
"""

from understudy.verify.model import Rule, Severity

_LIFECYCLE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"
_IMAGES = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"

IMPORT_ERROR = Rule(
    id="boot-import-error",
    title="The handler cannot be imported",
    severity=Severity.FAILS,
    catalogue=("A1", "A2", "A3", "A4"),
    aws_text="Runtime.ImportModuleError: Unable to import module 'MODULE': No module named 'NAME'",
    why="The runtime client imports the handler before it asks for events. It throws the chain of imports "
    "away, so AWS's text names the last module only, whatever the cause was.",
    fix="install what is missing into the image, for its architecture, Python and C library",
    link="https://docs.pydantic.dev/latest/integrations/aws_lambda/",
)
HANDLER_MISSING = Rule(
    id="boot-handler-missing",
    title="The module has no such handler",
    severity=Severity.FAILS,
    catalogue=("A5",),
    aws_text="Runtime.HandlerNotFound: Handler 'NAME' missing on module 'MODULE'",
    why="CMD names MODULE.FUNCTION; the module was imported, the function is not in it.",
    fix='set CMD ["MODULE.FUNCTION"] to a function that the module defines',
    link="https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html",
)
INIT_ERROR = Rule(
    id="boot-init-error",
    title="Code at module level raises",
    severity=Severity.FAILS,
    catalogue=("A15", "A17", "A18"),
    aws_text="KeyError: 'NAME'",
    why="Whatever the handler's modules do at import runs before the first event; an exception there ends "
    "the init phase and every request fails.",
    fix="correct the line that raises, or set the variable that it reads",
    link=_LIFECYCLE,
)
FILE_UNREADABLE = Rule(
    id="boot-file-unreadable",
    title="Init needs a file that Lambda's user may not use",
    severity=Severity.FAILS,
    catalogue=("A9",),
    aws_text="PermissionError: [Errno 13] Permission denied: '/var/task/FILE'",
    why="Lambda runs the image as user 993:990 and ignores USER, so files need o+r and directories o+x.",
    fix="add RUN chmod -R o+rX /var/task to the Dockerfile",
    link="https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html",
)
SHARED_MEMORY = Rule(
    id="boot-shared-memory",
    title="Init needs a semaphore, and Lambda has no /dev/shm",
    severity=Severity.FAILS,
    catalogue=("A11",),
    aws_text="FileNotFoundError: [Errno 2] No such file or directory",
    why="multiprocessing's Lock, Queue, Pool and Value live in /dev/shm, which does not exist on Lambda.",
    fix="use threading.Lock, queue.Queue or a ThreadPoolExecutor",
    link="https://aws.amazon.com/blogs/compute/parallel-processing-in-python-with-aws-lambda/",
)
ENTRYPOINT = Rule(
    id="boot-entrypoint",
    title="The entrypoint cannot be started",
    severity=Severity.FAILS,
    catalogue=("A6", "A7", "A8"),
    aws_text="Runtime.InvalidEntrypoint: RequestId: ID Error: fork/exec PATH: no such file or directory",
    why="The program is missing, not executable, for another machine, or its interpreter is missing.",
    fix="point ENTRYPOINT at an executable of the image, with an interpreter that the image has",
    link=_IMAGES,
)
EXIT = Rule(
    id="boot-exit",
    title="The process ends during init without a word",
    severity=Severity.FAILS,
    catalogue=("A14",),
    aws_text="Runtime.ExitError: RequestId: ID Error: Runtime exited with error: exit status 1",
    why="Nothing was posted to the Runtime API before the process ended, so AWS has no reason to show.",
    fix="remove the exit from module level; raise an exception instead, which Lambda reports",
    link="https://github.com/aws/aws-lambda-python-runtime-interface-client/issues/94",
)
TIMEOUT = Rule(
    id="boot-timeout",
    title="Init takes longer than Lambda lets it",
    severity=Severity.FAILS,
    catalogue=("A13",),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="Init has 10 seconds. Then Lambda starts it once more within the first request, under the "
    "function's timeout.",
    fix="move slow work out of module level, into the first request that needs it",
    link=_LIFECYCLE,
)
NO_NEXT = Rule(
    id="boot-no-next",
    title="The process serves something else than Lambda's Runtime API",
    severity=Severity.FAILS,
    catalogue=("A6",),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="A web server waits for connections that never come: events are fetched from the Runtime API, by a "
    "runtime client or by the Lambda Web Adapter.",
    fix='set ENTRYPOINT ["python", "-m", "awslambdaric"] and CMD ["MODULE.HANDLER"], HANDLER = Mangum(app)',
    link="https://github.com/aws-samples/sample-serverless-mcp-servers/issues/17",
)
OUT_OF_MEMORY = Rule(
    id="boot-out-of-memory",
    title="The process needs more memory than the function has",
    severity=Severity.FAILS,
    catalogue=("A12",),
    aws_text="Runtime.OutOfMemory: RequestId: ID Error: Runtime exited with error: signal: killed",
    why="Lambda kills a process that exceeds the function's memory.",
    fix="raise memorySize",
    link="https://github.com/DataDog/datadog-lambda-extension/pull/776",
)
INIT_TWICE = Rule(
    id="boot-init-twice",
    title="Init fails, and succeeds when Lambda tries again",
    severity=Severity.MAY_FAIL,
    catalogue=("A13",),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="A failed init is repeated within the first request, under the function's timeout. What runs at "
    "module level then runs twice, and the first request pays for it.",
    fix="make init pass the first time: move slow or fragile work out of module level",
    link=_LIFECYCLE,
)
NETWORK = Rule(
    id="boot-network-at-import",
    title="Init connects to the network",
    severity=Severity.MAY_FAIL,
    catalogue=("A23", "A13"),
    aws_text="INIT_REPORT Init Duration: 10000.00 ms Phase: init Status: timeout",
    why="In a VPC without NAT or endpoint such a call hangs until init times out, and elsewhere every cold "
    "start waits for it. Here it fails at once, because the boot is offline.",
    fix="connect on first use instead of at module level, or verify with --network host",
    link="https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html",
)
WRITE = Rule(
    id="boot-write-outside-tmp",
    title="Init writes outside /tmp",
    severity=Severity.INFO,
    catalogue=("A10",),
    aws_text="OSError: [Errno 30] Read-only file system: 'PATH'",
    why="Only /tmp is writable on Lambda. An attempt that the code survives costs a cache, nothing more; "
    "one that it does not survive ends init.",
    fix="point the library's cache variable (HOME, XDG_CACHE_HOME, MPLCONFIGDIR, ...) to a folder in /tmp",
    link="https://github.com/aws/aws-sam-cli/issues/2895",
)
SUBPROCESS = Rule(
    id="boot-subprocess",
    title="Init starts other programs",
    severity=Severity.INFO,
    catalogue=("A13",),
    aws_text="",
    why="Every cold start waits for them.",
    fix="move the call out of module level",
    link=_LIFECYCLE,
)
THREAD = Rule(
    id="boot-thread",
    title="Init leaves threads running",
    severity=Severity.INFO,
    catalogue=("A13",),
    aws_text="",
    why="Between requests Lambda freezes the process: a timer or a background sender stands still until the "
    "next request, and connections that it holds may be gone by then.",
    fix="do the work within a request, or flush before answering",
    link=_LIFECYCLE,
)
EVENT_LOOP = Rule(
    id="boot-event-loop",
    title="The adapter finds no event loop",
    severity=Severity.FAILS,
    catalogue=("A21",),
    aws_text="RuntimeError: There is no current event loop in thread 'MainThread'.",
    why="Mangum 0.19 and older ask for the current event loop, which does not exist any more once "
    "asyncio.run() has been called, and never on Python 3.14.",
    fix="pip install 'mangum>=0.20'",
    link="https://github.com/Kludex/mangum/issues/347",
)
HANDLER_ERROR = Rule(
    id="boot-handler-error",
    title="The handler raises on the event it was sent",
    severity=Severity.MAY_FAIL,
    catalogue=("A21",),
    aws_text="X-Amz-Function-Error: Unhandled",
    why="The function starts, but answers this event with an error. A synthetic event is not what a handler "
    "of another service's events expects, so that proves nothing.",
    fix="send one of the function's own events with --event FILE",
    link="https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html",
)
APP_ERROR = Rule(
    id="boot-app-error",
    title="The application answers with a server error",
    severity=Severity.MAY_FAIL,
    catalogue=("A21",),
    aws_text="Internal Server Error",
    why="The application raised and its adapter made an answer of it: for Lambda the request succeeded.",
    fix="correct the route; its traceback is in the log of the boot",
    link="https://mangum.fastapiexpert.com/",
)
REQUEST_EXIT = Rule(
    id="boot-request-exit",
    title="The process ends while it answers",
    severity=Severity.FAILS,
    catalogue=("A14", "A21"),
    aws_text="Runtime.ExitError: RequestId: ID Error: Runtime exited with error: exit status 1",
    why="The request fails and the next one pays for a new init phase.",
    fix="remove the exit from the code that answers, or replace the library that crashes",
    link="https://github.com/aws/aws-lambda-python-runtime-interface-client/issues/94",
)
REQUEST_TIMEOUT = Rule(
    id="boot-request-timeout",
    title="A request takes longer than the function's timeout",
    severity=Severity.FAILS,
    catalogue=("A21",),
    aws_text="Sandbox.Timedout: RequestId: ID Error: Task timed out after 3.00 seconds",
    why="Lambda ends the process at the function's timeout, 3 s unless the function says otherwise.",
    fix="raise the function's timeout, or make the request faster",
    link="https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html",
)
RESPONSE = Rule(
    id="boot-response-unusable",
    title="The answer cannot be sent",
    severity=Severity.FAILS,
    catalogue=("A21",),
    aws_text="Runtime.MarshalError: Unable to marshal response: Object of type TYPE is not JSON serializable",
    why="An answer must be JSON of at most 6 MB.",
    fix="return what json.dumps can write, and hand out large results by a URL to S3",
    link="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
)
EXTENSION = Rule(
    id="boot-extension",
    title="An extension does not start",
    severity=Severity.FAILS,
    catalogue=("A8",),
    aws_text="Extension.LaunchError: RequestId: ID Error: fork/exec /opt/extensions/agent: permission denied",
    why="Lambda starts every file of /opt/extensions before the image's own program, which waits until all "
    "have registered.",
    fix="correct or remove the extension: ls -l /opt/extensions in the image",
    link="https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
)
NEEDS_AWS = Rule(
    id="boot-needs-aws",
    title="A request needs a service that the boot cannot reach",
    severity=Severity.INFO,
    catalogue=("A23",),
    aws_text="",
    why="The boot is offline, so a route that reads a table or a bucket cannot answer. That says nothing "
    "about the image.",
    fix="run ./understudy up first and verify against it, or verify with --network host",
    link="https://docs.aws.amazon.com/lambda/latest/dg/images-test.html",
)
SKIPPED = Rule(
    id="boot-skipped",
    title="The image was not booted",
    severity=Severity.INFO,
    catalogue=("A7",),
    aws_text="",
    why="A boot needs Linux with namespaces and the image's own architecture. The static rules ran.",
    fix="verify on a Linux machine of the image's architecture",
    link=_IMAGES,
)

RULES = (
    ENTRYPOINT,
    NO_NEXT,
    FILE_UNREADABLE,
    HANDLER_MISSING,
    IMPORT_ERROR,
    SHARED_MEMORY,
    INIT_ERROR,
    OUT_OF_MEMORY,
    EXIT,
    TIMEOUT,
    INIT_TWICE,
    NETWORK,
    WRITE,
    EVENT_LOOP,
    REQUEST_EXIT,
    REQUEST_TIMEOUT,
    RESPONSE,
    EXTENSION,
    HANDLER_ERROR,
    APP_ERROR,
    NEEDS_AWS,
    SUBPROCESS,
    THREAD,
    SKIPPED,
)
