"""Applications on real packages that look faulty and start: optional C parts, guarded imports, leftovers."""

from tests.images.case import BASE, HANDLER, Case, good
from understudy.verify.subject import LaunchOverrides

_PIP = "RUN pip install -q --no-cache-dir"
# One layer for several cases.
_WEB = f"{_PIP} fastapi==0.127.0 mangum==0.19.0 boto3==1.42.14"
_ROOM = LaunchOverrides(memory_mb=1024, timeout_s=30.0)

_FASTAPI = """
import contextlib

from fastapi import FastAPI
from mangum import Mangum


@contextlib.asynccontextmanager
async def lifespan(app):
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health():
    return {"ok": True}


handler = Mangum(app)
"""
_STARLETTE = """
from mangum import Mangum
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def home(request):
    return PlainTextResponse("home")


handler = Mangum(Starlette(routes=[Route("/", home), Route("/health", home)]), lifespan="off")
"""
_CLIENTS = """
import boto3
from botocore.config import Config

table = boto3.resource("dynamodb").Table("t")
s3 = boto3.client("s3", config=Config(retries={"max_attempts": 1}))
sqs = boto3.Session(region_name="eu-west-1").client("sqs")


def handler(event, context):
    return [table.name, s3.meta.region_name, sqs.meta.endpoint_url]
"""
_DJANGO = """
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")

from django.core.asgi import get_asgi_application
from mangum import Mangum

handler = Mangum(get_asgi_application(), lifespan="off")
"""
_DJANGO_SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {}
"""
_DJANGO_URLS = """
from django.http import JsonResponse
from django.urls import path

urlpatterns = [path("health", lambda request: JsonResponse({"ok": True}))]
"""
_PARTS = """
import io

import msgpack, sqlalchemy, yaml
from PIL import Image
from sqlalchemy import orm

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
engine = sqlalchemy.create_engine("sqlite://")
with engine.connect() as connection:
    assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
assert msgpack.unpackb(msgpack.packb([1])) == [1]
assert yaml.load("a: 1", Loader) == {"a": 1}
Image.new("RGB", (2, 2)).save(io.BytesIO(), "PNG")
"""
_FRAME = """
import warnings

try:
    import numpy
except ImportError as error:
    numpy = None
    warnings.warn(str(error), stacklevel=1)
for dependency in ("numexpr", "bottleneck"):
    try:
        __import__(dependency)
    except ImportError:
        pass


def read_excel(path):
    import openpyxl
    return openpyxl.load_workbook(path)


def _optional(name):
    import importlib
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


pyarrow = _optional("pyarrow")
"""
_LEARNED = """
import sklearn.ensemble
from sklearn.linear_model import LinearRegression

model = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])


def handler(event, context):
    return float(model.predict([[3.0]])[0])
"""


def _on(*steps: str) -> str:
    """Returns a Dockerfile whose packages come before the code, as they should."""
    return "\n".join((f"FROM {BASE}", *steps, "COPY . ./", 'CMD ["app.handler"]', ""))


CASES: tuple[Case, ...] = (
    good("fastapi-on-mangum", row="A21", files={"app.py": _FASTAPI}, dockerfile=_on(_WEB)),
    good("starlette-on-mangum", row="A21", files={"app.py": _STARLETTE}, dockerfile=_on(_WEB)),
    good("clients-at-import", row="A23", files={"app.py": _CLIENTS}, dockerfile=_on(_WEB)),
    good(
        "library-of-another-python-beside-the-right-one",
        row="A1",
        files={"app.py": _FASTAPI},
        dockerfile=_on(
            _WEB,
            "RUN cd /var/lang/lib/python3.13/site-packages/pydantic_core && "
            "cp _pydantic_core.cpython-313-x86_64-linux-gnu.so "
            "_pydantic_core.cpython-312-x86_64-linux-gnu.so",
        ),
    ),
    good(
        "packages-in-the-task-root",
        row="A4",
        files={"app.py": _FASTAPI},
        dockerfile=_on(_WEB.replace("pip install", "pip install --target /var/task")),
    ),
    good(
        "django-on-mangum",
        row="A21",
        files={"app.py": _DJANGO, "site_settings.py": _DJANGO_SETTINGS, "urls.py": _DJANGO_URLS},
        dockerfile=_on(f"{_PIP} django==5.2.8 mangum==0.19.0"),
    ),
    good(
        "optional-c-parts",
        row="A3",
        files={"app.py": _PARTS + HANDLER},
        dockerfile=_on(f"{_PIP} msgpack==1.1.2 sqlalchemy==2.0.44 pyyaml==6.0.3 pillow==12.0.0"),
    ),
    good(
        "package-with-guarded-imports",
        row="A4",
        files={"app.py": "import frame\n" + HANDLER, "frame/__init__.py": _FRAME},
    ),
    good(
        "scikit-learn",
        row="A11",
        files={"app.py": _LEARNED},
        dockerfile=_on(f"{_PIP} scikit-learn==1.7.2"),
        launch=_ROOM,
    ),
)
