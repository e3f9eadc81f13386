"""HAProxy before two stand-ins for app servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.edge import App, Edge, haproxy
from tests.native import native

StartEdge = Callable[..., Edge]


@pytest.fixture
def apps() -> Iterator[list[App]]:
    """Two app servers."""
    servers = [App("app1"), App("app2")]
    yield servers
    for server in servers:
        server.release.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
@native("starts HAProxy")
def start_edge(apps: list[App], tmp_path: Path) -> Iterator[StartEdge]:
    """Start HAProxy before the app servers, with variables of haproxy.cfg."""
    with ExitStack() as stack:
        addresses = [app.address for app in apps]
        yield lambda **variables: stack.enter_context(haproxy(tmp_path, addresses, **variables))


@pytest.fixture
def edge(start_edge: StartEdge) -> Edge:
    """HAProxy as it is without any variable."""
    return start_edge()


def asked(apps: list[App]) -> list[str]:
    """Return the paths that app servers were asked for."""
    return [one.path for app in apps for one in app.asked]
