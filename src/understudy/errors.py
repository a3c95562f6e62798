"""The one root of every error that a user can cause or the cloud can answer.

Refuses to know exit codes: only the command line maps an error to one.
"""


class UnderstudyError(Exception):
    """What went wrong, where, and the next thing to type.

    Attributes:
        code: stable kebab-case name, shown as ``error[code]``.
        message: subject first, then the offending and the expected value.
        hint: one command or edit, in the imperative.
        where: file, field, URL or resource the message is about.
        retryable: whether the same call may succeed later, unchanged.
    """

    def __init__(
        self, code: str, message: str, *, hint: str, where: str | None = None, retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.where = where
        self.retryable = retryable

    def __str__(self) -> str:
        place = f"\n  where: {self.where}" if self.where else ""
        return f"error[{self.code}]: {self.message}{place}\n  hint:  {self.hint}"


class EnvironmentProblemError(UnderstudyError):
    """This machine, its network or its credentials lack something; the hint names the command."""
