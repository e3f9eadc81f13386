"""One shard is one PostgreSQL: a transaction is atomic, isolated, and committed in one phase."""

from docs.examples.consistency.lab import Lab

SCHEMA = """
CREATE TABLE orders (user_id text, id int, total int NOT NULL, PRIMARY KEY (user_id, id));
CREATE TABLE lines (
    user_id text, order_id int, n int, price int NOT NULL, PRIMARY KEY (user_id, order_id, n),
    FOREIGN KEY (user_id, order_id) REFERENCES orders (user_id, id));
SELECT create_distributed_table('orders', 'user_id', colocate_with => 'none');
SELECT create_distributed_table('lines', 'user_id', colocate_with => 'orders');
"""
BOOKS = """SELECT count(DISTINCT id), sum(price) FROM orders JOIN lines
   ON orders.user_id = lines.user_id AND id = order_id WHERE orders.user_id = 'ana'"""


def show(lab: Lab) -> dict[str, object]:
    """Place two orders with their lines, and look at them from beside and from another node."""
    lab.make(SCHEMA)
    a, b = lab.session("A"), lab.session("B", at=lab.cluster.worker(1))
    lab.say("A places an order of two lines on Ana's shard, which is on worker 2.")
    lab.say("B asks worker 1, which asks worker 2.")
    a("BEGIN")
    a("INSERT INTO orders VALUES ('ana', 1, 30)")
    a("INSERT INTO lines VALUES ('ana', 1, 1, 10), ('ana', 1, 2, 20)")
    before = b.value("SELECT count(*) FROM orders WHERE user_id = 'ana'")
    a("COMMIT")
    logged = a.value("SELECT count(*) FROM pg_dist_transaction")
    lab.say("Nothing was prepared, so Citus had nothing to write down. B sees all of it:")
    after = b(BOOKS).rows[0]
    lab.say("A snapshot of one shard stays as it is while others write:")
    b("BEGIN ISOLATION LEVEL REPEATABLE READ")
    b(BOOKS)
    a("BEGIN")
    a("INSERT INTO orders VALUES ('ana', 2, 5)")
    a("INSERT INTO lines VALUES ('ana', 2, 1, 5)")
    a("COMMIT")
    repeated = b(BOOKS).rows[0]
    b("COMMIT")
    at_last = b(BOOKS).rows[0]
    lab.verdict(
        (before, after, repeated, at_last) == (0, (1, 30), (1, 30), (2, 35)) and logged == 0,
        "On one shard a transaction is seen whole or not at all, and a snapshot holds.",
    )
    return {"before": before, "after": after, "repeated": repeated, "prepared": logged}
