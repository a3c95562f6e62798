"""Sandboxes made ahead."""

import socket
from collections.abc import Iterator, Sequence

import pytest

from understudy.errors import UnderstudyError
from understudy.sandbox.cgroups import Group
from understudy.sandbox.parking import Parking


class ParkingServer:
    """Keeps the other ends of the links."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []
        self.gone = False

    def park(self, groups: Sequence[int]) -> socket.socket:
        assert not groups, "these groups are empty"
        if self.gone:
            raise UnderstudyError("sandbox-forkserver", "gone", hint="up")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ends.append(theirs)
        return ours


@pytest.fixture
def server() -> Iterator[ParkingServer]:
    made = ParkingServer()
    yield made
    for end in made.ends:
        end.close()


@pytest.fixture
def parking(server: ParkingServer) -> Iterator[Parking]:
    made = Parking(server, lambda: Group({}, {}), 2)
    yield made
    made.close()


def test_every_place_is_filled_once(parking: Parking, server: ParkingServer) -> None:
    parking.fill()
    parking.fill()
    assert len(parking) == len(server.ends) == 2


def test_what_is_taken_is_replaced_by_the_next_fill(parking: Parking) -> None:
    parking.fill()
    found = parking.take()
    assert found is not None
    assert len(parking) == 1
    parking.fill()
    assert len(parking) == 2
    found.end()


def test_nothing_parked_is_nothing_to_take(parking: Parking) -> None:
    assert parking.take() is None


def test_one_that_died_is_passed_over(parking: Parking, server: ParkingServer) -> None:
    parking.fill()
    server.ends[0].close()
    found = parking.take()
    assert found is not None
    assert found.alive
    assert len(parking) == 0
    found.end()
    assert not found.alive


def test_one_that_has_something_to_say_is_left_to_say_it(parking: Parking, server: ParkingServer) -> None:
    parking.fill()
    server.ends[0].send(b'{"failed": "namespaces", "errno": 1, "text": "no"}')
    found = parking.take()
    assert found is not None
    assert found.link.recv(100).startswith(b'{"failed"')
    found.end()


def test_a_fork_server_that_is_gone_parks_nothing(parking: Parking, server: ParkingServer) -> None:
    server.gone = True
    parking.fill()
    assert len(parking) == 0


def test_closing_ends_what_is_parked(parking: Parking, server: ParkingServer) -> None:
    parking.fill()
    parking.close()
    assert [end.recv(1) for end in server.ends] == [b"", b""]
