"""Something breaks, and whoever is on call hears of it: from the fault to Alertmanager and back.

The rules are the ones of production, read by the stack's own Prometheus from real figures; only
their durations are divided by 60 (monitoring.rendering), so that a test lasts seconds.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import dj_database_url
import httpx
import psycopg2
import pytest
from celery import Celery

from shop.config.environment import load
from tests.chaos.conftest import Keeper
from tests.monitoring.conftest import prometheus, stack
from tests.monitoring.watching import Watch, eventually, repeated

__all__ = ["prometheus", "stack"]

WORKER2 = "postgres-worker2"
# What this file makes fire.
TRIED = {
    "ApiSlow",
    "AppServerDown",
    "NodeDown",
    "PreparedTransactionStuck",
    "QueueGrowing",
    "RedisDown",
    "StockDrift",
    "WorkerDown",
}


@pytest.fixture(autouse=True)
def _in_a_hurry(prometheus: Watch) -> None:
    if not prometheus.is_hurried():
        pytest.skip("the rules of this stack take minutes; `make test` has one in a hurry")
    eventually(
        lambda: not prometheus.firing() & TRIED,
        seconds=60,
        what=lambda: f"what is tried does not fire yet: {prometheus.firing()}",
    )


def coordinator() -> str:
    """Return the address of the coordinator; without Citus, of the only node."""
    address = dj_database_url.parse(load().required("DATABASE_ADMIN_URL"))
    return f"{address['HOST']}:{address['PORT']}"


@pytest.fixture
def nodes(rows: Callable[..., list[tuple[str]]]) -> list[str]:
    """The workers' addresses; without Citus, the only node's."""
    if not rows("SELECT 1 FROM pg_extension WHERE extname = 'citus'"):
        return [coordinator()]
    workers = "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY 1"
    return [name for (name,) in rows(workers)]


def connect(name: str) -> psycopg2.extensions.connection:
    """Connect to the shop's database on a node, as the superuser, statement by statement."""
    administrator = dj_database_url.parse(load().required("DATABASE_ADMIN_URL"))
    host, _, port = name.rpartition(":")
    connection = psycopg2.connect(
        host=host,
        port=port,
        user=administrator["USER"],
        password=administrator["PASSWORD"],
        dbname=dj_database_url.parse(load().required("DATABASE_URL"))["NAME"],
    )
    connection.autocommit = True
    return connection


def fires(watch: Watch, alert: str, **labels: str) -> None:
    """The alert fires in Prometheus, and Alertmanager has it, with texts that make sense."""
    eventually(
        lambda: watch.fires(alert, **labels),
        seconds=60,
        what=lambda: f"{alert} fires; only {watch.firing()} do",
    )
    eventually(
        lambda: watch.notified(alert, **labels),
        seconds=15,
        what=lambda: f"{alert} reaches Alertmanager",
    )
    for found in watch.notified(alert, **labels):
        texts = " ".join(found.annotations.values())
        assert "<no value>" not in texts
        assert "error expanding" not in texts
        assert found.annotations["runbook_url"].endswith(f"/{alert}.md")
        assert found.annotations["dashboard_url"].startswith("http")


def ends(watch: Watch, alert: str) -> None:
    """The alert is over, for Alertmanager too."""
    eventually(lambda: not watch.notified(alert), seconds=90, what=lambda: f"{alert} is resolved")


@contextmanager
def stopped(keeper: Keeper, *programs: str) -> Iterator[None]:
    """Programs that do not run meanwhile."""
    keeper.call("stop", *programs)
    try:
        yield
    finally:
        keeper.call("start", *programs)


@contextmanager
def prepared(node: str) -> Iterator[None]:
    """A transaction that somebody has prepared on a node, and forgotten."""
    with closing(connect(node)) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT txid_current()")
        cursor.execute("PREPARE TRANSACTION 'forgotten'")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK PREPARED 'forgotten'")


@contextmanager
def drifted(product: int) -> Iterator[None]:
    """A product's stock changed by hand, past its ledger."""
    change = "UPDATE inventory_stock SET available = available + %s WHERE product_id = %s"
    with closing(connect(coordinator())) as connection, connection.cursor() as cursor:
        cursor.execute(change, [1, product])
        try:
            yield
        finally:
            cursor.execute(change, [-1, product])


def test_forgotten_transaction_drift_lost_server_and_full_queue_are_told_and_end_with_their_repair(
    prometheus: Watch,
    keeper: Keeper,
    nodes: list[str],
    new_product: Callable[[int], int],
    run_dir: Path,
) -> None:
    """Four faults at once: they have nothing to do with each other."""
    product = new_product(5)
    with ExitStack() as faults:
        faults.enter_context(stopped(keeper, "app2"))
        faults.enter_context(prepared(nodes[0]))
        faults.enter_context(drifted(product))
        faults.enter_context(stopped(keeper, "worker"))
        with Celery(broker=load().required("BROKER_URL"), set_as_current=False) as celery:
            for _ in range(150):
                celery.send_task("core.sweep_outbox", queue="default", expires=120)
        fires(prometheus, "AppServerDown", instance="app2")
        fires(prometheus, "PreparedTransactionStuck", node=nodes[0])
        fires(prometheus, "StockDrift")
        fires(prometheus, "WorkerDown", instance="worker")
        fires(prometheus, "QueueGrowing", queue="default")
        # The worker is the cause, and is told; the queue follows from it.
        assert all(alert.inhibited for alert in prometheus.notified("QueueGrowing"))
        assert not any(alert.inhibited for alert in prometheus.notified("WorkerDown"))
        eventually(
            lambda: "[CRITICAL" in _mails(run_dir), seconds=20, what=lambda: "a mail was sent"
        )
    for alert in (
        "AppServerDown",
        "PreparedTransactionStuck",
        "StockDrift",
        "WorkerDown",
        "QueueGrowing",
    ):
        ends(prometheus, alert)


def test_a_lost_node_is_told_and_what_follows_from_it_is_not(
    prometheus: Watch, keeper: Keeper, nodes: list[str], url: str
) -> None:
    if len(nodes) < 2:
        pytest.skip("without Citus there is only the node that everything needs")
    with stopped(keeper, WORKER2):
        fires(prometheus, "NodeDown", node=nodes[1])
        assert not any(alert.inhibited for alert in prometheus.notified("NodeDown"))
        for follower in ("PgBouncerDown", "ExporterDown", "RoutingFallingBack"):
            for alert in prometheus.notified(follower, node=nodes[1]):
                assert alert.inhibited, follower
    ends(prometheus, "NodeDown")
    _answers(url)


def test_a_lost_redis_is_told(prometheus: Watch, keeper: Keeper, url: str) -> None:
    with stopped(keeper, "redis"):
        fires(prometheus, "RedisDown", instance="redis")
    ends(prometheus, "RedisDown")
    _answers(url)


def test_slow_answers_are_told(prometheus: Watch, new_user: Callable[[], httpx.Client]) -> None:
    """Somebody locks the carts for a little more than a second, again and again."""
    ana = new_user()
    with _asking(ana, "/api/cart/"), _locking("carts_shoppingcart", seconds=1.5):
        fires(prometheus, "ApiSlow")
    ends(prometheus, "ApiSlow")


@contextmanager
def _asking(client: httpx.Client, path: str) -> Iterator[None]:
    """Somebody reads a page all the time."""
    with repeated(lambda: client.get(path).raise_for_status()):
        yield


@contextmanager
def _locking(table: str, *, seconds: float) -> Iterator[None]:
    with closing(connect(coordinator())) as connection, connection.cursor() as cursor:

        def lock() -> None:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            time.sleep(seconds)
            cursor.execute("COMMIT")
            time.sleep(0.05)

        with repeated(lock):
            yield


def _mails(run_dir: Path) -> str:
    return "\n".join(
        path.read_text(errors="replace").partition("\n\n")[0]
        for path in (run_dir / "mail").glob("*.eml")
    )


def _answers(url: str) -> None:
    eventually(
        lambda: set(httpx.get(f"{url}/health/ready", timeout=5).json().values()) == {"ok"},
        seconds=30,
        what=lambda: "the API is well again",
    )
