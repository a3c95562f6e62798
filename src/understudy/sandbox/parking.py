"""Sandboxes made ahead of any request, so that a cold start does not wait for the kernel.

A parked sandbox has namespaces, control groups and a process in them; it has no root, no limits and no
program of any image, so it fits every function that shares the host's network. Moving a process into a
control group waits for a grace period of the kernel, 10 to 20 ms: that is what is saved. Refuses to run
anything ahead: no code of a function is started before `Sandbox.start`.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from understudy.sandbox.cgroups import Group


class Server(Protocol):
    """What is needed of `forkclient.ForkServer`."""

    def park(self, groups: Sequence[int]) -> socket.socket:
        """Makes a sandbox without a root."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parked:
    """A sandbox without a root.

    Attributes:
        link: to its process 1.
        group: where its first process waits; no limits are set.
    """

    link: socket.socket
    group: Group

    @property
    def alive(self) -> bool:
        """Whether process 1 is there."""
        try:
            return bool(self.link.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def end(self) -> None:
        """Lets it end; what is left of its control group goes with the engine's."""
        self.link.close()
        self.group.remove()


class Parking:
    """The parked sandboxes of one engine.

    Args:
        server: makes them.
        make_group: makes a control group without limits.
        places: how many to keep.
    """

    def __init__(self, server: Server, make_group: Callable[[], Group], places: int) -> None:
        self._server = server
        self._make_group = make_group
        self._places = places
        self._parked: list[Parked] = []

    def __len__(self) -> int:
        return len(self._parked)

    def take(self) -> Parked | None:
        """A parked sandbox, which is then the caller's; `None` when there is none."""
        while self._parked:
            found = self._parked.pop(0)
            if found.alive:
                return found
            found.end()
        return None

    def fill(self) -> None:
        """Parks as many as there are places; where that fails, sandboxes are made when they are needed."""
        while len(self._parked) < self._places:
            group = self._make_group()
            try:
                with group.entries() as entries:
                    link = self._server.park(entries)
            except (OSError, UnderstudyError):
                group.remove()
                return
            self._parked.append(Parked(link=link, group=group))

    def close(self) -> None:
        """Ends every parked sandbox."""
        while self._parked:
            self._parked.pop().end()
