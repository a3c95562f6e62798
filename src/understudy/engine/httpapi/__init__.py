"""HTTP APIs of API Gateway: the control plane (``apigatewayv2``) and the gateway that carries requests.

Refuses WebSocket APIs and domain names by name; functions are called through a seam, so it does
not know how they run.
"""

from understudy.engine.httpapi.gateway import HttpApiGateway
from understudy.engine.httpapi.service import HttpApiService

__all__ = ["HttpApiGateway", "HttpApiService"]
