"""The entry point on AWS Lambda: `handler.lambda_handler`. The path is a contract with the function."""

import asyncio
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from dashboard.app import app
from dashboard.problems import MEDIA_TYPE

# Mangum returns what it does not know as text in base64, problem documents among it.
# The application has no lifespan, and Mangum would run one on every single request.
_adapter = Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])
_loop = asyncio.new_event_loop()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own class
    """Answer one HTTP event (payload 2.0 or 1.0) through the application."""
    # Mangum 0.19 asks for the current loop, which is none once anything has called asyncio.run().
    asyncio.set_event_loop(_loop)
    return _adapter(event, context)
