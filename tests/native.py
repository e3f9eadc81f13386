"""Which tests need programs of this machine, and which a running cluster and its front alone.

The latter run on the composed cluster too (`docker compose run --rm tests`, docs/deployment.md):
there STACK is "containers", and what is native is deselected and counted. A fixture says of all
tests that use it what they need,

    @pytest.fixture
    @native("starts a Citus cluster of its own")
    def cluster() -> ...

and a test without such a fixture says it by a mark: @pytest.mark.native("starts HAProxy").
Nothing else is left out: a test that skips itself on the composed cluster fails.
"""

import os
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

import psycopg2
import pytest

from shop.config.environment import load

COMPOSED = os.environ.get("STACK") == "containers"
LEFT_OUT = pytest.StashKey[Counter[str]]()
WORKERS = """
SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid > 0 AND isactive ORDER BY groupid
"""
UNFIT = 3  # the exit status where there is no cluster as asked for
F = TypeVar("F", bound=Callable[..., Any])


def native(reason: str) -> Callable[[F], F]:
    """Say what a fixture needs this machine for; stands below `@pytest.fixture`."""

    def say(fixture: F) -> F:
        fixture.native = reason  # type: ignore[attr-defined]
        return fixture

    return say


def reason_of(item: pytest.Item) -> str:
    """Return why a test is native: by its own mark, or by that of a fixture; "" if it is not."""
    if mark := item.get_closest_marker("native"):
        return str(mark.args[0])
    fixtures = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
    reasons = [getattr(found[-1].func, "native", "") for found in fixtures if found]
    return next(filter(None, reasons), "")


def pytest_report_header() -> list[str]:
    """Name the nodes of the composed cluster; refuse to begin on fewer workers than asked for."""
    if not COMPOSED:
        return []
    try:
        workers = _workers()
    except psycopg2.Error as error:
        pytest.exit(f"The composed cluster does not answer: {error}", returncode=UNFIT)
    wanted = int(os.environ.get("WORKERS") or 2)
    if len(workers) < wanted:
        found = f"The cluster has {len(workers)} workers; WORKERS asks for {wanted}."
        pytest.exit(found, returncode=UNFIT)
    return [f"composed cluster of {len(workers)} workers: {', '.join(workers)}"]


def _workers() -> list[str]:
    database = load().required("DATABASE_DIRECT_URL")
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(WORKERS)
        return [name for (name,) in cursor.fetchall()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is native, where it cannot run."""
    if not COMPOSED:
        return
    reasons = {item: reason_of(item) for item in items}
    config.stash[LEFT_OUT] = Counter(filter(None, reasons.values()))
    config.hook.pytest_deselected(items=[item for item in items if reasons[item]])
    items[:] = [item for item in items if not reasons[item]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Nothing is skipped on the composed cluster: what CI does not run, it must not call passed."""
    report = yield
    if COMPOSED and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"Skipped where nothing may be ({__name__}): {why}"
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many ran, how many did not, and why."""
    left_out = config.stash.get(LEFT_OUT, None)
    if left_out is None:
        return
    ran = sum(len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed"))
    terminalreporter.section("on the composed cluster")
    terminalreporter.line(f"{ran} tests ran; {left_out.total()} are left to `make test`:")
    for reason, count in left_out.most_common():
        terminalreporter.line(f"{count:6}  {reason}")
