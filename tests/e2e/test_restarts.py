"""New code, a new configuration and a dying server: the customers notice nothing of it."""

import os
import signal
from collections.abc import Callable, Iterator

import httpx
import pytest

from db.local import configuration, haproxy
from db.local.errors import StackError
from db.local.health import Probe
from db.local.layout import Layout
from db.local.programs import WORKER_QUEUES
from db.local.rolling import Rolling
from db.local.supervisor import Supervisor
from tests.e2e import stack as stacks
from tests.e2e.traffic import Traffic
from tests.native import native

BUYERS = 3
BACK_WITHIN = 60.0  # seconds


@pytest.fixture
@native("stops and kills programs of the local stack")
def stack(url: str) -> Iterator[Layout]:
    """The stack on this machine, with all its app servers up, before and after."""
    layout = stacks.layout()

    def wait() -> None:
        is_up = haproxy.wait_until(lambda: stacks.all_up(layout), seconds=BACK_WITHIN)
        assert is_up, haproxy.servers(layout)

    wait()
    yield layout
    wait()


@pytest.fixture
def traffic(
    url: str, new_user: Callable[[], httpx.Client], new_product: Callable[[int], int]
) -> Iterator[Traffic]:
    """Readers and buyers at work."""
    buyers = [new_user() for _ in range(BUYERS)]
    with Traffic(url, product=new_product(100_000), buyers=buyers) as running:
        running.wait_for(30)
        yield running


def rolling(layout: Layout, *, patience: float) -> Rolling:
    """A round of restarts in which nothing is changed."""
    return Rolling(
        supervisor=Supervisor(layout),
        layout=layout,
        know=lambda name: None,
        say=print,
        patience=patience,
    )


def test_no_request_fails_while_new_code_is_brought_in(stack: Layout, traffic: Traffic) -> None:
    before = stacks.pids(stack)
    progress = stacks.deploy(stack)
    traffic.wait_for(30)
    assert traffic.reasons() == []
    renewed = {name for name, pid in stacks.pids(stack).items() if pid != before[name]}
    assert renewed == {"app1", "app2", *WORKER_QUEUES, "beat"}
    assert progress.index("app1 has the new code") < progress.index("app2 has the new code")
    assert traffic.counts["POST"] > 10


def test_no_request_fails_while_haproxy_is_reloaded(stack: Layout, traffic: Traffic) -> None:
    before = haproxy.process_id(stack)
    for _ in range(3):
        stacks.reload(stack)
        traffic.wait_for(30)
    assert traffic.reasons() == []
    assert haproxy.process_id(stack) != before


def test_a_configuration_that_haproxy_refuses_changes_nothing(
    stack: Layout, traffic: Traffic
) -> None:
    before = haproxy.process_id(stack)
    path = configuration.haproxy_path(stack)
    good = path.read_text()
    path.write_text(good + "\n    no such word\n")
    try:
        with pytest.raises(StackError, match="unknown keyword"):
            stacks.reload(stack)
    finally:
        path.write_text(good)
    traffic.wait_for(30)
    assert haproxy.process_id(stack) == before
    assert traffic.reasons() == []


def test_when_new_code_does_not_come_up_the_old_serves_on(stack: Layout, traffic: Traffic) -> None:
    broken = Probe(program="app1", ask=lambda: "it is broken")
    with pytest.raises(StackError, match=r"it is broken(.|\n)*app2 goes on with the old code"):
        rolling(stack, patience=1).app_servers([broken])
    traffic.wait_for(30)
    assert traffic.reasons() == []
    assert "DRAIN" not in haproxy.servers(stack)["app1"].status


def test_who_interrupts_a_restart_leaves_no_server_behind(stack: Layout, traffic: Traffic) -> None:
    def interrupt() -> str | None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rolling(stack, patience=1).app_servers([Probe(program="app1", ask=interrupt)])
    assert haproxy.wait_until(lambda: stacks.all_up(stack), seconds=BACK_WITHIN)
    assert traffic.reasons() == []


def test_the_last_server_that_answers_is_not_restarted(stack: Layout) -> None:
    haproxy.set_state(stack, "app2", "maint")
    try:
        before = stacks.pids(stack)["app1"]
        with pytest.raises(StackError, match="app1 is the only app server that answers"):
            rolling(stack, patience=1).app_servers([Probe(program="app1", ask=lambda: None)])
        assert stacks.pids(stack)["app1"] == before
        assert haproxy.servers(stack)["app1"].is_up
    finally:
        haproxy.set_state(stack, "app2", "ready")


def test_when_an_app_server_is_killed_no_request_fails(stack: Layout, traffic: Traffic) -> None:
    """What was at work there is repeated: reading, and what the app does once per key."""
    for name in ("app1", "app2"):
        victim = stacks.pids(stack)[name]
        os.killpg(os.getpgid(victim), signal.SIGKILL)
        traffic.wait_for(30)
        assert haproxy.wait_until(lambda: stacks.all_up(stack), seconds=BACK_WITHIN)
        traffic.wait_for(30)
    assert traffic.reasons() == []
