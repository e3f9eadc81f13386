"""The cluster grows, is made even, gives a user a shard of their own, and shrinks; nobody notices.

Two workers become three and two again, under the traffic of buyers who come in through HAProxy.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from db.local import settings as choices
from shop.config.environment import load
from tests.chaos.conftest import wait_until
from tests.e2e.conftest import manage
from tests.live import Shoppers, shardctl

STOCK = 100_000
QUIET = 6  # users who did something before, and nothing meanwhile
SETTLED_WITHIN = 90.0  # seconds: payments and mails come after the orders
Rows = Callable[..., list[Any]]

# Tables of the user group that nothing changes once a user's orders are settled.
QUIET_TABLES = (
    "accounts_user", "carts_shoppingcart", "carts_cartitem", "wishlists_wishlist",
    "wishlists_wishlistitem", "orders_order", "orders_orderitem", "orders_orderevent",
    "payments_payment",
)  # fmt: skip


@pytest.fixture
def dsn() -> str:
    """The coordinator of the stack, as its superuser."""
    return load().required("SHARDCTL_DSN")


@pytest.fixture
def spare(run_dir: Path) -> Iterator[choices.Node]:
    """A server that runs beside the cluster."""
    stack = choices.load(run_dir / "stack.json")
    if stack is None or not stack.citus or not stack.spares:
        pytest.skip("this stack has no cluster, or no spare node to grow by; `make test` has one")
    return stack.servers[-1]


@pytest.fixture
def quiet(
    new_user: Callable[[], httpx.Client], new_product: Callable[[int], int], rows: Rows
) -> list[str]:
    """The ids of users with orders, carts and wishes, all of it settled."""
    product, ids = new_product(QUIET), []
    for _ in range(QUIET):
        client = new_user()
        line = {"product_id": product, "quantity": 1}
        for path, body in (
            ("/api/cart/items/", line),
            ("/api/orders/", {"payment_method": "card"}),
            ("/api/wishlist/items/", {"product_id": product}),
        ):
            answer = client.post(path, json=body, headers={"Idempotency-Key": f"quiet{path}"})
            assert answer.status_code == 201, answer.text
        ids.append(client.get("/api/users/me/").json()["id"])
    assert wait_until(lambda: _pending(rows, ids) == 0, seconds=SETTLED_WITHIN)
    return ids


def _pending(rows: Rows, users: list[str]) -> int:
    query = (
        "SELECT count(*) FROM orders_order WHERE user_id = ANY(%s::uuid[])"
        " AND order_status = 'pending'"
    )
    return int(rows(query, users)[0][0])


def test_the_cluster_grows_and_shrinks_under_traffic_and_no_request_fails(
    url: str,
    dsn: str,
    spare: choices.Node,
    quiet: list[str],
    new_product: Callable[[int], int],
    rows: Rows,
    capsys: pytest.CaptureFixture[str],
) -> None:
    product, node = new_product(STOCK), f"127.0.0.1:{spare.pg_port}"
    before, workers = _checksums(rows, quiet), _workers(rows)
    try:
        with Shoppers(url, product=product) as shoppers:
            shoppers.idle("before", seconds=5)
            with shoppers.during("add-node"):
                shardctl("add-node", node, dsn=dsn)
            with shoppers.during("rebalance"):
                shardctl("rebalance", "--by", "shards", dsn=dsn)
            asked = _queries_through(spare.pool_port)
            heavy = shoppers.buyers[0][0]
            with shoppers.during("isolate"):
                shardctl("isolate", heavy, dsn=dsn)
            assert _shards_on(rows, spare.pg_port) > 0
            assert wait_until(lambda: _queries_through(spare.pool_port) > asked + 20, seconds=60), (
                "the app servers do not ask the new node"
            )
            assert _alone(rows, heavy)
            with shoppers.during("drain"):
                shardctl("drain", node, dsn=dsn)
            assert _shards_on(rows, spare.pg_port) == 0
            with shoppers.during("remove-node"):
                shardctl("remove-node", node, dsn=dsn)
            shoppers.idle("after", seconds=5)
    finally:
        _give_back(rows, dsn, spare.pg_port)
    with capsys.disabled():
        print(f"\n{shoppers.table()}")
    assert shoppers.failures == []
    assert _workers(rows) == workers
    assert _checksums(rows, quiet) == before
    _compare_with_the_books(rows, shoppers, product)
    shardctl("verify", dsn=dsn)
    assert wait_until(
        lambda: manage("reconcile", "--format=json").strip() == "[]", seconds=SETTLED_WITHIN
    )


def _compare_with_the_books(rows: Rows, shoppers: Shoppers, product: int) -> None:
    """Everything that was accepted is there once, and nothing else is."""
    books = shoppers.books
    users = [user for user, _ in shoppers.buyers]
    accepted = sorted(order for orders in books.orders.values() for order in orders)
    assert len(accepted) > 20
    found = rows("SELECT id FROM orders_order WHERE user_id = ANY(%s::uuid[])", users)
    assert sorted(str(order) for (order,) in found) == accepted
    lines = "SELECT count(*), sum(quantity) FROM orders_orderitem WHERE user_id = ANY(%s::uuid[])"
    assert rows(lines, users) == [(len(accepted), books.sold)]
    [[left]] = rows("SELECT available FROM inventory_stock WHERE product_id = %s", product)
    assert left == STOCK - books.sold
    names = [f"username:{name}" for name in books.names]
    claimed = rows("SELECT user_id FROM accounts_identity WHERE value = ANY(%s)", names)
    people = rows("SELECT id FROM accounts_user WHERE username = ANY(%s)", books.names)
    assert sorted(claimed) == sorted(people)
    assert len(people) == len(books.names)


def _checksums(rows: Rows, users: list[str]) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a checksum over them, by table."""
    found = {}
    for table in QUIET_TABLES:
        column = "id" if table == "accounts_user" else "user_id"
        query = (
            f"SELECT count(*), md5(string_agg(whole, '' ORDER BY whole)) FROM"
            f" (SELECT t::text AS whole FROM {table} t WHERE {column} = ANY(%s::uuid[])) AS every"
        )
        found[table] = tuple(rows(query, users)[0])
    query = "SELECT count(*), md5(string_agg(t::text, '' ORDER BY id)) FROM catalog_category t"
    return {**found, "catalog_category": tuple(rows(query)[0])}


def _workers(rows: Rows) -> list[int]:
    return [port for (port,) in rows("SELECT nodeport FROM pg_dist_node ORDER BY 1")]


def _shards_on(rows: Rows, port: int) -> int:
    query = (
        "SELECT count(*) FROM pg_dist_placement JOIN pg_dist_node USING (groupid)"
        " JOIN pg_dist_shard USING (shardid) JOIN pg_dist_partition USING (logicalrelid)"
        " WHERE partmethod = 'h' AND nodeport = %s"
    )
    return int(rows(query, port)[0][0])


def _alone(rows: Rows, user: str) -> bool:
    """Whether a user's shard holds a single hash."""
    query = (
        "SELECT shardminvalue = shardmaxvalue FROM pg_dist_shard WHERE shardid ="
        " get_shard_id_for_distribution_column('orders_order', %s::uuid)"
    )
    return bool(rows(query, user)[0][0])


def _queries_through(pool_port: int) -> int:
    """Return how many queries a pooler has passed on to the shop's database."""
    parts = parse_dsn(load().required("SHARDCTL_DSN"))
    name = parts["dbname"]
    parts |= {"port": str(pool_port), "dbname": "pgbouncer"}
    with closing(psycopg2.connect(make_dsn(**parts))) as console:
        console.autocommit = True
        with console.cursor() as cursor:
            cursor.execute("SHOW STATS_TOTALS")
            names = [column.name for column in cursor.description or ()]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return sum(int(row["query_count"]) for row in found if row["database"] == name)


def _give_back(rows: Rows, dsn: str, port: int) -> None:
    """After a failure half way: the tests that follow expect two workers."""
    if port in _workers(rows):
        node = f"127.0.0.1:{port}"
        shardctl("drain", node, dsn=dsn)
        shardctl("remove-node", node, dsn=dsn)
