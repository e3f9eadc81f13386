"""Without a cluster every command says so in one sentence, and soon."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import click
import pytest

from sharding import connection
from sharding.cli import commands
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import HOST, Throwaway

# The script of a shell is written without a cluster.
NAMES = [name for name in commands.names() if name != "completion"]


def arguments(name: str) -> list[str]:
    """Return a command line that says all that the command must be told."""
    command = commands.load(name)
    words = [name]
    for parameter in command.params:
        if parameter.required:
            value = "1" if parameter.type is click.INT else f"{HOST}:1"
            words += (
                [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]
            )
    return words


@pytest.fixture
def refusing() -> Iterator[str]:
    """A port where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind((HOST, 0))
        yield f"postgresql://postgres@{HOST}:{reserved.getsockname()[1]}/postgres"


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word, as one that hangs."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield f"postgresql://postgres@{HOST}:{server.getsockname()[1]}/postgres"


@pytest.fixture
def swallowing() -> Iterator[str]:
    """A host that drops packets: the queue of its port is full, so the kernel answers nothing."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind((HOST, 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"postgresql://postgres@{HOST}:{server.getsockname()[1]}/postgres"


def is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("shardctl: ") and text.endswith(".\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_database_without_citus_is_named(name: str, shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl(*arguments(name), "--yes", dsn=citus.coordinator.dsn_of("template1"))
    assert answer.code == 3
    assert is_one_sentence(answer.err)
    assert "no Citus extension" in answer.err


@pytest.mark.parametrize("name", NAMES)
def test_a_coordinator_that_is_down_is_named(name: str, shardctl: Shardctl, refusing: str) -> None:
    answer = shardctl(*arguments(name), "--yes", dsn=refusing)
    assert answer.code == 3
    assert is_one_sentence(answer.err)
    assert "does not answer" in answer.err


@pytest.mark.parametrize("name", NAMES)
def test_no_command_waits_for_a_host_that_swallows_packets(
    name: str, shardctl: Shardctl, swallowing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.1)
    answer = shardctl(*arguments(name), "--yes", dsn=swallowing)
    assert answer.code == 3
    assert "does not answer" in answer.err


@pytest.mark.parametrize("kind", ["silent", "swallowing"])
def test_waiting_for_the_coordinator_ends_within_five_seconds(
    kind: str, shardctl: Shardctl, request: pytest.FixtureRequest
) -> None:
    began = time.monotonic()
    answer = shardctl("status", dsn=request.getfixturevalue(kind))
    assert answer.code == 3
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", NAMES)
def test_in_json_the_error_is_json(name: str, shardctl: Shardctl, refusing: str) -> None:
    answer = shardctl(*arguments(name), "--yes", dsn=refusing, format="json")
    assert answer.code == 3
    assert answer.error["code"] == "cluster_not_available"
    assert answer.error["exit_code"] == 3
    assert answer.json["command"] == name


def test_a_worker_is_not_taken_for_the_coordinator(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("status", dsn=citus.worker(1).dsn)
    assert answer.code == 3
    assert f"connect to the coordinator, {citus.coordinator.address}" in answer.err


def test_a_password_never_shows_in_an_error(shardctl: Shardctl, refusing: str) -> None:
    for dsn in (
        refusing.replace("postgres@", "postgres:hush@"),
        "host=nowhere password=hush port=x",
    ):
        answer = shardctl("status", dsn=dsn)
        assert answer.code in {2, 3}
        assert "hush" not in answer.out + answer.err


def test_without_any_dsn_shardctl_says_how_to_give_one(
    shardctl: Shardctl, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDMART_ENV_FILE", f"{tmp_path}/none")
    answer = shardctl("status")
    assert answer.code == 2
    assert "SHARDCTL_DSN" in answer.err


def test_a_dsn_that_cannot_be_read_is_a_usage_error(shardctl: Shardctl) -> None:
    assert shardctl("status", dsn="this is no dsn").code == 2
