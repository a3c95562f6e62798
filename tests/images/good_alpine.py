"""An image laid out like Alpine's Python, of real musl parts as far as they can be had here.

Real: musl itself and its loader (Debian's package), wheels for musl from PyPI, the standard library. Not:
the interpreter, a program of three lines that musl's compiler made: Debian has no Python for musl, and the
tests pull no image. So the files are judged and nothing is booted.
"""

import subprocess
from pathlib import Path

from tests.images.case import BASE, Case, good, rules
from tests.tools import require_tool

_LIBRARY = Path("/usr/lib/x86_64-linux-musl")
_HANDLER = "import pydantic\n\n\ndef handler(event, context):\n    return {'got': event}\n"
_SITE = "/alpine/usr/local/lib/python3.13/site-packages"
_DOCKERFILE = """
FROM {base} AS made
RUN mkdir -p /alpine/usr/local/lib /alpine/lib /alpine/etc /alpine/tmp \\
  && cp -a /var/lang/lib/python3.13 /alpine/usr/local/lib/ \\
  && cd /alpine/usr/local/lib/python3.13 && rm -r lib-dynload _sysconfigdata_* \\
  && touch _sysconfigdata__linux_x86_64-linux-musl.py \\
  && cp /etc/passwd /etc/group /alpine/etc/ && echo 3.22.0 > /alpine/etc/alpine-release
RUN pip install -q --no-cache-dir --target {site} --platform {tag} --python-version 3.13 \\
  --only-binary=:all: pydantic==2.12.5 awslambdaric==4.2.2
FROM scratch
COPY --from=made /alpine /
COPY --chmod=755 python3.13 /usr/local/bin/
COPY --chmod=755 libpython3.13.so.1.0 /usr/local/lib/
COPY --chmod=755 libc.so /lib/ld-musl-x86_64.so.1
COPY link /lib/libc.musl-x86_64.so.1
ENV PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /function
COPY app.py ./
ENTRYPOINT ["/usr/local/bin/python3.13", "-m", "awslambdaric"]
CMD ["app.handler"]
"""


def with_musl_wheels(folder: Path) -> Case:
    """Returns the image as it should be."""
    return good(
        "alpine-with-wheels-for-musl",
        row="A1",
        files=_parts(folder),
        dockerfile=_DOCKERFILE.format(
            base=BASE, site=_SITE, tag="musllinux_1_2_x86_64 --platform musllinux_1_1_x86_64"
        ),
        skipped="--static was given",
    )


def with_glibc_wheels(folder: Path) -> Case:
    """Returns the image that copying packages from a Debian stage makes."""
    return Case(
        name="alpine-with-wheels-for-glibc",
        row="A1",
        files=_parts(folder),
        dockerfile=_DOCKERFILE.format(base=BASE, site=_SITE, tag="manylinux2014_x86_64"),
        static=rules("glibc-on-musl"),
        skipped="--static was given",
    )


def _parts(folder: Path) -> dict[str, str | bytes]:
    compiler = require_tool("musl-gcc")
    code = folder / "main.c"
    code.write_text("void Py_Initialize(void) {}\nint main(void) { return 0; }\n")
    library, program = folder / "libpython3.13.so.1.0", folder / "python3.13"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-Wl,-soname,libpython3.13.so.1.0", "-o", library, code], check=True
    )
    code.write_text("void Py_Initialize(void);\nint main(void) { Py_Initialize(); return 0; }\n")
    subprocess.run([compiler, "-o", program, code, library], check=True)
    return {
        "app.py": _HANDLER,
        "python3.13": program.read_bytes(),
        "libpython3.13.so.1.0": library.read_bytes(),
        "libc.so": (_LIBRARY / "libc.so").read_bytes(),
        "link": (_LIBRARY / "libc.so").read_bytes(),
    }
