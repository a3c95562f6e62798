"""The service ``logs``: what functions wrote, kept within bounds, read back and filtered.

Refuses to make a writer wait for the disk, and what is not about log events: metric filters, Insights.
"""

from understudy.engine.logs.service import LogsService
from understudy.engine.logs.store import LogStore

__all__ = ["LogStore", "LogsService"]
