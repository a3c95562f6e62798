"""A service as any team may have one: FastAPI behind Mangum, a table, a bucket, a variable of its own."""

import os
from typing import Any

from fastapi import FastAPI, HTTPException
from mangum import Mangum

from app.store import Orders

app = FastAPI(title="orders")
orders = Orders()
stage = os.environ["STAGE"]


@app.get("/")
def about() -> dict[str, str]:
    return {"service": "orders", "stage": stage}


@app.put("/orders/{order_id}")
def put(order_id: str) -> dict[str, str]:
    orders.put(order_id)
    return {"order_id": order_id}


@app.get("/orders/{order_id}")
def get(order_id: str) -> dict[str, Any]:
    found = orders.get(order_id)
    if found is None:
        raise HTTPException(404)
    return found


handler = Mangum(app, lifespan="off")
