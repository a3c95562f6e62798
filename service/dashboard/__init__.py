"""The dashboard: a user's dashboard configurations and the tickers they may name.

A FastAPI application that runs under any ASGI server and, through `handler.lambda_handler`, on AWS
Lambda. It needs a DynamoDB table and one S3 object and knows of nothing else.
"""

__all__ = ["__version__"]

__version__ = "2.0.0"
