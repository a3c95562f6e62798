"""One Lambda execution environment: a Runtime API server and a process isolated as Lambda isolates it."""

from understudy.sandbox.environment import ExecutionEnvironment, InitReport
from understudy.sandbox.executor import Executor, Peek, Process, Sandbox
from understudy.sandbox.model import (
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
    "ExecutionEnvironment",
    "Executor",
    "ExitStatus",
    "Fault",
    "FunctionEnvironment",
    "InitReport",
    "InvokeRequest",
    "InvokeResult",
    "LaunchFailure",
    "NamespaceExecutor",
    "Peek",
    "Process",
    "Sandbox",
    "SandboxSpec",
    "lambda_environment",
]
