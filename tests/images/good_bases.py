"""Good images that are not laid out like AWS's: Debian with a runtime client, a venv, an adapter."""

from tests.images.case import BASE, HANDLER, Case, good

_RIC = "awslambdaric==4.0.1"
# The stand-in's Python where the official Debian image of Python has it, and nothing of AWS.
DEBIAN = "\n".join(
    (
        f"FROM {BASE} AS made",
        "RUN mkdir -p /usr/local/bin /usr/local/lib && cp -a /var/lang/bin/python* /usr/local/bin/"
        " && cp -a /var/lang/lib/python3.13 /usr/local/lib/"
        " && rm -r /var/lang /var/runtime /lambda-entrypoint.sh",
        "FROM scratch AS debian",
        "COPY --from=made / /",
        "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/bin LANG=C.UTF-8",
    )
)
_PIP = "RUN python3 -m pip install -q --no-cache-dir"
_RIE_SCRIPT = """#!/bin/sh
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie /usr/local/bin/python -m awslambdaric "$@"
else
  exec /usr/local/bin/python -m awslambdaric "$@"
fi
"""
_ADAPTER = """#!/usr/local/bin/python3.13
# What Lambda Web Adapter does: registers, waits for the server, asks for invocations and forwards them.
import http.client, json, os, socket, time

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
api.request("POST", "/2020-01-01/extension/register", json.dumps({"events": []}),
            {"Lambda-Extension-Name": "lambda-adapter"})
registered = api.getresponse()
registered.read()
identifier = {"Lambda-Extension-Identifier": registered.headers["Lambda-Extension-Identifier"]}
events = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
events.request("GET", "/2020-01-01/extension/event/next", headers=identifier)
port = int(os.environ.get("PORT", "8080"))
while True:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        break
    except OSError:
        time.sleep(0.01)
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    event.read()
    request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    web = http.client.HTTPConnection("127.0.0.1", port)
    web.request("GET", "/")
    answer = web.getresponse()
    body = json.dumps({"statusCode": answer.status, "body": answer.read().decode()})
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", body)
    api.getresponse().read()
"""
_SERVER = """
import http.server, os


class Home(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"home")


http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Home).serve_forever()
"""


def _debian(*steps: str, entrypoint: str, cmd: str = '["app.handler"]') -> str:
    """Returns a Dockerfile on the Debian layout."""
    return "\n".join((DEBIAN, *steps, f"ENTRYPOINT {entrypoint}", f"CMD {cmd}", ""))


_IN_SITE = (f"{_PIP} {_RIC}", "WORKDIR /function", "COPY . ./")

CASES: tuple[Case, ...] = (
    good(
        "debian-client-in-the-task-folder",
        row="A6",
        dockerfile=_debian(
            "WORKDIR /function",
            f"{_PIP} --target /function {_RIC}",
            "COPY . ./",
            entrypoint='["/usr/local/bin/python3.13", "-m", "awslambdaric"]',
        ),
    ),
    good(
        "debian-python-by-path",
        row="A6",
        dockerfile=_debian(*_IN_SITE, entrypoint='["python", "-m", "awslambdaric"]'),
    ),
    good(
        "debian-python-by-symlink",
        row="A6",
        dockerfile=_debian(*_IN_SITE, entrypoint='["/usr/local/bin/python", "-m", "awslambdaric"]'),
    ),
    good(
        "debian-console-script",
        row="A6",
        files={"app/main.py": HANDLER, "app/__init__.py": ""},
        dockerfile=_debian(
            *_IN_SITE,
            "ENV PYTHONPATH=/function",
            entrypoint='["/usr/local/bin/python3", "-B", "-u", "-m", "awslambdaric"]',
            cmd='["app.main.handler"]',
        ),
    ),
    good(
        "debian-shell-form",
        row="A6",
        dockerfile=_debian(*_IN_SITE, entrypoint="exec python -m awslambdaric app.handler", cmd="[]"),
    ),
    good(
        "debian-script-with-emulator",
        row="A8",
        files={"app.py": HANDLER, "entry_script.sh": _RIE_SCRIPT},
        dockerfile=_debian(
            *_IN_SITE,
            "RUN mv entry_script.sh / && chmod 755 /entry_script.sh",
            entrypoint='["/entry_script.sh"]',
        ),
    ),
    good(
        "debian-venv-on-the-path",
        row="A4",
        files={
            "app.py": "import annotated_types, awslambdaric, sys\nassert sys.prefix == '/opt/venv'\n"
            + HANDLER
        },
        dockerfile=_debian(
            f"RUN python3 -m venv --without-pip /opt/venv && "
            f"python3 -m pip --python /opt/venv/bin/python install -q --no-cache-dir {_RIC} annotated-types",
            "ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
            "WORKDIR /function",
            "COPY . ./",
            entrypoint='["python", "-m", "awslambdaric"]',
        ),
    ),
    good(
        "debian-user-with-a-home",
        row="A22",
        dockerfile=_debian(
            "RUN echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd && mkdir -m 755 /home/app",
            f"{_PIP} {_RIC}",
            "USER 1000",
            "WORKDIR /home/app",
            "COPY --chown=1000:1000 . ./",
            entrypoint='["/usr/local/bin/python3.13", "-m", "awslambdaric"]',
        ),
    ),
    good(
        "venv-on-awss-base",
        row="A4",
        files={"app.py": "import annotated_types\n" + HANDLER},
        dockerfile="\n".join(
            (
                f"FROM {BASE}",
                "RUN python3 -m venv --without-pip /opt/venv && "
                f"pip --python /opt/venv/bin/python install -q --no-cache-dir {_RIC} annotated-types",
                "ENV PATH=/opt/venv/bin:$PATH",
                "COPY . ./",
                'ENTRYPOINT ["python", "-m", "awslambdaric"]',
                'CMD ["app.handler"]',
                "",
            )
        ),
    ),
    good(
        "web-adapter-without-client",
        row="A6",
        files={"server.py": _SERVER, "adapter": _ADAPTER},
        dockerfile=_debian(
            "WORKDIR /function",
            "COPY server.py ./",
            "COPY --chmod=755 adapter /opt/extensions/lambda-adapter",
            "ENV PORT=8080",
            entrypoint="[]",
            cmd='["python3", "server.py"]',
        ),
    ),
)
