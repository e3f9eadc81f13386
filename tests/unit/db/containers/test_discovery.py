"""Which containers of a service run, by the names that stay theirs."""

import socket
from collections.abc import Callable

import pytest

from db.cluster.servers import Server
from db.containers import discovery

NameService = Callable[[dict[str, str]], None]


@pytest.fixture
def name_service(monkeypatch: pytest.MonkeyPatch) -> NameService:
    """The engine's: all addresses of a service, and a name for each; an empty one is not known."""

    def answer(names: dict[str, str]) -> None:
        def addresses(service: str, port: int, *_: object) -> list[object]:
            if not names:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in names]

        def name(address: str) -> tuple[str, list[str], list[str]]:
            if not names[address]:
                raise socket.herror(1, "Unknown host")
            return names[address], [], [address]

        monkeypatch.setattr(discovery.socket, "getaddrinfo", addresses)
        monkeypatch.setattr(discovery.socket, "gethostbyaddr", name)

    return answer


def test_workers_are_called_as_their_containers_and_ordered_by_number(
    name_service: NameService,
) -> None:
    name_service(
        {
            "10.89.0.70": "shardmart-worker-10.shardmart_cluster",
            "10.89.0.66": "shardmart-worker-2.shardmart_cluster",
            "10.89.0.68": "shardmart-worker-1.shardmart_cluster",
        }
    )
    found = discovery.workers("worker")
    assert [(server.host, address) for server, address in found.items()] == [
        ("shardmart-worker-1", "10.89.0.68"),
        ("shardmart-worker-2", "10.89.0.66"),
        ("shardmart-worker-10", "10.89.0.70"),
    ]
    assert {server.port for server in found} == {5432}


def test_an_address_without_a_name_is_left_out(name_service: NameService) -> None:
    name_service({"10.89.0.66": "", "10.89.0.68": "shardmart-worker-1.shardmart_cluster"})
    assert list(discovery.workers("worker")) == [Server("shardmart-worker-1", 5432)]


def test_where_none_runs_there_is_none(name_service: NameService) -> None:
    name_service({})
    assert discovery.workers("worker") == {}
