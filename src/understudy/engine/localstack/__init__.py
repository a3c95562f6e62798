"""What users of LocalStack bring along: its settings, its endpoints below ``/_localstack/``.

Held against localstack-core 4.14.0, the last release that starts without a token; `tests/parity` measures
how far the likeness goes. The endpoints are not re-exported: settings are read before anything else is
loaded.
"""

from understudy.engine.localstack.settings import LocalStackSettings, read

__all__ = ["LocalStackSettings", "read"]
