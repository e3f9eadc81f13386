"""Where the parts of the stack are; the local stack's own tools, for tests that restart them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.local import haproxy, monitoring_ports
from db.local import layout as layouts
from db.local import settings as choices
from db.local.layout import Layout
from db.local.supervisor import Supervisor
from shop.config.environment import load
from tests.e2e.conftest import ROOT

DEPLOY = """
import os, sys
from db.local.up import up
up(os.environ, stack=sys.argv[1], renew=True)
"""


def layout() -> Layout:
    """Return where the stack keeps its things; skips a stack that is not on this machine."""
    directory = load().str("RUN_DIR", "")
    if not directory:
        pytest.skip("the stack's processes are not ours; `make test` has a stack of its own")
    return layouts.find(Path(directory).name, checkout=Path(directory).parents[1])


def app_servers() -> list[str]:
    """Return the addresses of the app servers themselves, past HAProxy."""
    if named := load().str("APP_SERVERS", ""):
        return named.split()
    port = _chosen().app_port
    return [f"http://127.0.0.1:{port + number}" for number in range(choices.APP_SERVERS)]


def task_workers() -> list[str]:
    """Return where the Celery workers show their figures."""
    if named := load().str("TASK_WORKERS", ""):
        return named.split()
    port = _chosen().metrics_port
    return [f"http://127.0.0.1:{port + offset}" for offset in monitoring_ports.WORKERS.values()]


def _chosen() -> choices.Settings:
    """What was chosen for the local stack."""
    found = choices.load(layout().settings)
    assert found is not None
    return found


def deploy(stack: Layout) -> str:
    """Run what `make deploy-local` runs, without its lock: `make test` holds that."""
    environment = {key: value for key, value in os.environ.items() if "DJANGO" not in key}
    done = subprocess.run(
        [sys.executable, "-c", DEPLOY, stack.link.name],
        cwd=stack.checkout,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reload(stack: Layout) -> None:
    """Reload HAProxy."""
    haproxy.reload(stack, Supervisor(stack).states()["haproxy"].pid)


def pids(stack: Layout) -> dict[str, int]:
    """Return the process id of each program."""
    return {name: state.pid for name, state in Supervisor(stack).states().items()}


def all_up(stack: Layout) -> bool:
    """Whether HAProxy sends requests to every app server."""
    return all(server.is_up for server in haproxy.servers(stack).values())
