"""Which manager reads and writes which kind: the one table, in which an unknown kind is an error."""

from collections.abc import Mapping
from types import MappingProxyType

from understudy.errors import UnderstudyError
from understudy.reconcile.manager import ResourceManager
from understudy.reconcile.services.apigatewayv2 import ApiManager, DeploymentManager, StageManager
from understudy.reconcile.services.apigatewayv2_authorizer import AuthorizerManager
from understudy.reconcile.services.apigatewayv2_routes import IntegrationManager, RouteManager
from understudy.reconcile.services.dynamodb import TableManager
from understudy.reconcile.services.ecr import RepositoryManager
from understudy.reconcile.services.iam import PolicyManager, RoleManager
from understudy.reconcile.services.lambda_ import FunctionManager
from understudy.reconcile.services.lambda_events import EventSourceMappingManager
from understudy.reconcile.services.lambda_release import AliasManager, VersionManager
from understudy.reconcile.services.lambda_urls import FunctionUrlManager
from understudy.reconcile.services.logs import LogGroupManager
from understudy.reconcile.services.rest_apis import (
    ResourcePathManager,
    RestApiManager,
    RestDeploymentManager,
    RestStageManager,
)
from understudy.reconcile.services.rest_methods import MethodManager, RestIntegrationManager
from understudy.reconcile.services.s3 import BucketManager
from understudy.reconcile.services.sns import TopicManager
from understudy.reconcile.services.sqs import QueueManager

MANAGERS: Mapping[str, ResourceManager] = MappingProxyType(
    {
        "API": ApiManager(),
        "Alias": AliasManager(),
        "Authorizer": AuthorizerManager(),
        "Bucket": BucketManager(),
        "Deployment": DeploymentManager(),
        "EventSourceMapping": EventSourceMappingManager(),
        "Function": FunctionManager(),
        "FunctionURLConfig": FunctionUrlManager(),
        "Integration": IntegrationManager(),
        "LogGroup": LogGroupManager(),
        "Method": MethodManager(),
        "Policy": PolicyManager(),
        "Queue": QueueManager(),
        "Repository": RepositoryManager(),
        "Resource": ResourcePathManager(),
        "RestAPI": RestApiManager(),
        "RestDeployment": RestDeploymentManager(),
        "RestIntegration": RestIntegrationManager(),
        "RestStage": RestStageManager(),
        "Role": RoleManager(),
        "Route": RouteManager(),
        "Stage": StageManager(),
        "Table": TableManager(),
        "Topic": TopicManager(),
        "Version": VersionManager(),
    }
)


def of(kind: str) -> ResourceManager:
    """The manager of a kind.

    Raises:
        UnderstudyError: nothing manages that kind.
    """
    if kind not in MANAGERS:
        raise UnderstudyError(
            "kind-unmanaged",
            f"kind {kind} has no manager",
            hint=f"use one of {', '.join(sorted(MANAGERS))}",
        )
    return MANAGERS[kind]
