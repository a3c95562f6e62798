"""Streams a user's dashboard configurations to a page: what there is, and then every change.

An application of its own (`sse.app:app`) for any ASGI server; on AWS Lambda `sse.runtime` streams what it
answers through a function URL. Reads the table that the dashboard writes and knows nothing else of it.
"""

__all__: list[str] = []
