"""What Lambda's user, root file system and missing devices make fail, as the catalogue tells it.

Data only; what decides is in the `filesystem` modules.
"""

from understudy.verify.model import Rule, Severity

_IMAGES = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"
_PERMISSIONS = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html"
_READ_ONLY = "https://github.com/aws/aws-sam-cli/issues/2895"

FILE = Rule(
    id="unreadable-file",
    title="Lambda's user may not read a file that the code needs",
    severity=Severity.FAILS,
    catalogue=("A9",),
    aws_text="PermissionError: [Errno 13] Permission denied: '/var/task/app.py'",
    why="Lambda runs the code as uid 993, gid 990: neither root nor the owner. A umask of 077 at build time, "
    "COPY --chmod=600 or a private checkout leaves files that only root can read.",
    fix="RUN chmod -R o+rX /var/task",
    link=_PERMISSIONS,
)
PACKAGE = Rule(
    id="unreadable-package",
    title="Lambda's user may not look into a package's directory",
    severity=Severity.FAILS,
    catalogue=("A9",),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': cannot import name 'X' from 'pkg' "
    "(unknown location)",
    why="Python takes a directory that it cannot read for a namespace package without content, so the import "
    "succeeds and the first name from it fails.",
    fix="RUN chmod -R o+rX /var/task",
    link=_PERMISSIONS,
)
PATH = Rule(
    id="unreadable-path",
    title="Lambda's user may not look into a directory of sys.path",
    severity=Severity.FAILS,
    catalogue=("A4", "A9"),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'app'",
    why="Python skips directories that it cannot list, without a word: all that is in them does not exist.",
    fix="RUN chmod -R o+rX /var/task",
    link=_PERMISSIONS,
)
USER_SITE = Rule(
    id="user-site-install",
    title="Packages are installed in the home of a user that Lambda does not run as",
    severity=Severity.FAILS,
    catalogue=("A4", "A22"),
    aws_text="Runtime.ImportModuleError: Unable to import module 'app': No module named 'fastapi'",
    why="USER is ignored and HOME is not set, so ~/.local of the image's user is on nobody's path.",
    fix="install as root, without --user",
    link="https://github.com/chainguard-images/images/issues/319",
)
WRITE = Rule(
    id="write-outside-tmp",
    title="The code writes outside /tmp when it is imported",
    severity=Severity.FAILS,
    catalogue=("A10",),
    aws_text="OSError: [Errno 30] Read-only file system: '/var/task/app.log'",
    why="The root file system is read-only on Lambda; /tmp alone can be written.",
    fix="write below /tmp",
    link=_READ_ONLY,
)
CACHE = Rule(
    id="cache-directory",
    title="A library keeps a cache in a place that cannot be written",
    severity=Severity.INFO,
    catalogue=("A10",),
    aws_text="RuntimeError: cannot cache function 'f': no locator available for file '/var/task/m.py'",
    why="The home directory of Lambda's user does not exist, and the root file system is read-only.",
    fix="ENV NUMBA_CACHE_DIR=/tmp/numba",
    link="https://github.com/librosa/librosa/issues/1868",
)
SHARED_MEMORY = Rule(
    id="shared-memory",
    title="The code makes locks or queues for several processes",
    severity=Severity.FAILS,
    catalogue=("A11",),
    aws_text="FileNotFoundError: [Errno 2] No such file or directory",
    why="POSIX semaphores live in /dev/shm, which Lambda does not have. The same fault reads OSError: [Errno "
    "38] Function not implemented on older Pythons, and PermissionError: [Errno 13] on some images.",
    fix="use threading.Lock, queue.Queue or concurrent.futures.ThreadPoolExecutor",
    link="https://aws.amazon.com/blogs/compute/parallel-processing-in-python-with-aws-lambda/",
)
TIME_ZONES = Rule(
    id="time-zones-missing",
    title="The code uses time zones and the image has none",
    severity=Severity.MAY_FAIL,
    catalogue=("A18",),
    aws_text="ZoneInfoNotFoundError: 'No time zone found with key Europe/Berlin'",
    why="zoneinfo reads /usr/share/zoneinfo or the package tzdata; Amazon Linux 2023 ships neither.",
    fix="RUN pip install tzdata",
    link="https://github.com/amazonlinux/amazon-linux-2023/issues/615",
)
LOCALE = Rule(
    id="locale-missing",
    title="The code sets a locale that the image does not have",
    severity=Severity.MAY_FAIL,
    catalogue=("A18",),
    aws_text="Error: unsupported locale setting",
    why="Base images carry C.UTF-8 and little else; others come from language packs.",
    fix="RUN dnf install -y glibc-langpack-de",
    link="https://github.com/aws/aws-lambda-base-images/issues/229",
)
CERTIFICATES = Rule(
    id="ca-bundle-missing",
    title="A variable names a certificate bundle that cannot be read",
    severity=Severity.MAY_FAIL,
    catalogue=("A18",),
    aws_text="SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "unable to get local issuer certificate",
    why="TLS clients take the bundle from the variable and trust nobody when it is not there.",
    fix="remove the variable, or RUN chmod 644 the file that it names",
    link="https://github.com/amazonlinux/amazon-linux-2023/issues/1082",
)
IGNORED = Rule(
    id="instructions-ignored",
    title="The Dockerfile has instructions that Lambda ignores",
    severity=Severity.INFO,
    catalogue=("A22",),
    aws_text="",
    why="Lambda honours ENTRYPOINT, CMD, WORKDIR and ENV. It runs code as its own user and opens no port.",
    fix="nothing, unless the image relies on them",
    link=_IMAGES,
)
PORT = Rule(
    id="privileged-port",
    title="A server listens on a port below 1024",
    severity=Severity.INFO,
    catalogue=("A22",),
    aws_text="PermissionError: [Errno 13] Permission denied",
    why="Lambda's user has no privileges, and low ports may need one.",
    fix="listen on 8080",
    link="https://github.com/aws/aws-lambda-web-adapter",
)

RULES = (
    FILE,
    PACKAGE,
    PATH,
    USER_SITE,
    WRITE,
    CACHE,
    SHARED_MEMORY,
    TIME_ZONES,
    LOCALE,
    CERTIFICATES,
    IGNORED,
    PORT,
)
