"""Repositories of services that nobody has adopted yet, as `init` reads them."""

from collections.abc import Mapping

from understudy.targets.init.tree import Tree

DOCKERFILE = """\
FROM public.ecr.aws/lambda/python:3.13
COPY requirements.txt ${LAMBDA_TASK_ROOT}
RUN pip install -r requirements.txt
COPY app/ ${LAMBDA_TASK_ROOT}/app/
CMD ["app.main.handler"]
"""

MAIN = """\
import os
from fastapi import FastAPI
from mangum import Mangum
from app.store import Orders

app = FastAPI()
stage = os.environ["STAGE"]
handler = Mangum(app)
"""

STORE = """\
import os
import boto3

TABLE = os.environ["ORDERS_TABLE"]

class Orders:
    def __init__(self):
        self.table = boto3.resource("dynamodb").Table(TABLE)
        self.s3 = boto3.client("s3")

    def get(self, order_id):
        self.s3.put_object(Bucket=os.environ["RECEIPTS_BUCKET"], Key=order_id, Body=b"")
        return self.table.get_item(Key={"order_id": order_id})
"""

ORDERS = {
    "Dockerfile": DOCKERFILE,
    "requirements.txt": "fastapi\nmangum\nboto3\nuvicorn\n",
    "app/__init__.py": "",
    "app/main.py": MAIN,
    "app/store.py": STORE,
    "scripts/seed.py": "import os\nos.environ['NEVER_ON_LAMBDA']\n",
}
"""A FastAPI service with its own Dockerfile, a table and a bucket."""


def tree(texts: Mapping[str, str], name: str = "orders") -> Tree:
    """A repository of these files."""
    folders = {path.rpartition("/")[0] for path in texts} - {""}
    above = {"/".join(folder.split("/")[:count]) for folder in folders for count in range(1, 9)}
    return Tree(name=name, texts=texts, paths=frozenset(texts), folders=frozenset(above | folders))
