"""The data path of function URLs: an HTTP request becomes an invocation, buffered or streamed."""

from understudy.engine.urls.gateway import FunctionUrlGateway

__all__ = ["FunctionUrlGateway"]
