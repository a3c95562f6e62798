"""REST APIs of API Gateway (botocore service ``apigateway``): the control plane and the gateway.

Lambda proxy integrations and mocks are run; what else a REST API can be is refused by name.
"""

from understudy.engine.restapi.gateway import RestApiGateway
from understudy.engine.restapi.service import RestApiService

__all__ = ["RestApiGateway", "RestApiService"]
