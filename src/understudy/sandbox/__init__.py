"""One Lambda execution environment: a Runtime API server and a process isolated as Lambda isolates it."""

from understudy.sandbox.environment import ExecutionEnvironment, InitReport
from understudy.sandbox.executor import Executor, Peek, Process, Sandbox
from understudy.sandbox.isolation import Isolation, Lookup
from understudy.sandbox.model import (
    Endpoint,
    ExitStatus,
    Fault,
    FunctionEnvironment,
    InvokeRequest,
    InvokeResult,
    LaunchFailure,
    SandboxSpec,
    lambda_environment,
)
from understudy.sandbox.namespaces import NamespaceExecutor

__all__ = [
    "Endpoint",
    "ExecutionEnvironment",
    "Executor",
    "ExitStatus",
    "Fault",
    "FunctionEnvironment",
    "InitReport",
    "InvokeRequest",
    "InvokeResult",
    "Isolation",
    "LaunchFailure",
    "Lookup",
    "NamespaceExecutor",
    "Peek",
    "Process",
    "Sandbox",
    "SandboxSpec",
    "lambda_environment",
]
