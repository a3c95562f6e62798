"""Read calls about what no function here has: signing.

Tools (terraform, the ACK controllers, the AWS CLI) make them after every create and take the answer for the
state of the world; none of these things can be created here, so "there is none" is the truth.
"""

from collections.abc import Mapping
from typing import Any

from understudy.engine.functions import names
from understudy.engine.functions.lookup import Lookup
from understudy.engine.protocol import Call, Operation


class AbsentOperations:
    """The read calls that always find nothing; the function they ask about has to exist."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations by name."""
        return {
            "GetFunctionCodeSigningConfig": self.code_signing,
            "GetRuntimeManagementConfig": self.runtime_management,
            "GetFunctionRecursionConfig": self.recursion,
        }

    async def code_signing(self, call: Call) -> dict[str, Any]:
        """GetFunctionCodeSigningConfig: image functions cannot be signed."""
        return {"FunctionName": self._lookup.called_function(call).id.name}

    async def runtime_management(self, call: Call) -> dict[str, Any]:
        """GetRuntimeManagementConfig: AWS does not manage the runtime of an image, it stays as pushed."""
        function, version = self._lookup.version(self._lookup.target(call))
        return {"UpdateRuntimeOn": "Auto", "FunctionArn": names.arn(function.id, version.number)}

    async def recursion(self, call: Call) -> dict[str, Any]:
        """GetFunctionRecursionConfig: nothing here looks for loops, so they are allowed."""
        self._lookup.called_function(call)
        return {"RecursiveLoop": "Allow"}
