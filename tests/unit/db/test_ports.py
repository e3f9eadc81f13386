"""Ports that belong to others."""

import socket
from collections.abc import Iterator

import pytest

from db.local import ports
from db.local.errors import PortTaken
from db.local.settings import choose


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((request.param, 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_is_named_with_its_variable(taken: int) -> None:
    settings = choose(
        {"HTTP_PORT": str(taken)}, stack="local", citus=False, pg_major="15", before=None
    )
    with pytest.raises(PortTaken, match=rf"Port {taken} \(HAProxy\).*HTTP_PORT=…"):
        ports.check(settings, ours=())


def test_a_port_of_the_running_stack_is_no_obstacle(taken: int) -> None:
    settings = choose(
        {"HTTP_PORT": str(taken)}, stack="local", citus=False, pg_major="15", before=None
    )
    others = {port.number for port in settings.ports()}
    ports.check(settings, ours=others)


def test_a_port_is_free_again_when_its_listener_is_gone() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        assert not ports.is_free(number)
    assert ports.is_free(number)
