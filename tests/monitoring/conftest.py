"""The stack with its monitoring; the test stack starts it here and ends it after each module."""

from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from db.local import health, monitoring
from db.local import settings as choices
from db.local.layout import Layout
from db.local.supervisor import Supervisor
from shop.config.environment import load
from tests.e2e.conftest import http, new_product, new_user, rows, sam, url
from tests.e2e.stack import layout
from tests.monitoring.watching import Watch, eventually
from tests.native import native

__all__ = ["http", "new_product", "new_user", "rows", "sam", "url"]


@pytest.fixture(scope="session")
@native("starts and stops Prometheus of the local stack")
def stack(url: str) -> Layout:
    return layout()


@pytest.fixture(scope="module")
def prometheus(stack: Layout) -> Iterator[Watch]:
    """Prometheus and Alertmanager, with every target answering; skips where there are none."""
    addresses = [load().str(name, "") for name in ("PROMETHEUS_URL", "ALERTMANAGER_URL")]
    settings = choices.load(stack.settings)
    if not all(addresses) or settings is None:
        pytest.skip("this stack has no monitoring: its packages are missing, or MONITORING=off")
    supervisor = Supervisor(stack)
    states = supervisor.states()
    names = [program.name for program in monitoring.all_programs(settings, stack)]
    started = [name for name in names if states[name].state != "RUNNING"]
    for name in started:
        supervisor.start_program(name)
    health.wait(monitoring.probes(settings), supervisor, stack)
    watch = Watch(*addresses)
    eventually(
        lambda: _is_whole(watch), seconds=30, what=lambda: f"every target answers: {_silent(watch)}"
    )
    yield watch
    watch.close()
    for name in reversed(started):
        supervisor.stop_program(name)


def _is_whole(watch: Watch) -> bool:
    return bool(watch.ask("up")) and not _silent(watch)


def _silent(watch: Watch) -> list[str]:
    with suppress(httpx.HTTPError):
        return [
            f"{target['labels']['instance']}: {target['lastError'] or target['health']}"
            for target in watch.get("/api/v1/targets")["activeTargets"]
            if target["health"] != "up"
        ]
    return ["Prometheus itself"]
