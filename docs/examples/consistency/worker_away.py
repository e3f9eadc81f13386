"""A node away: what lies on it fails, all else goes on; a node that hangs is worse."""

from docs.examples.consistency.lab import ACCOUNTS, Lab
from docs.examples.consistency.session import Session

Facts = dict[str, object]
CATALOG = """
CREATE TABLE products (id int PRIMARY KEY, price int NOT NULL);
SELECT create_reference_table('products');
INSERT INTO products VALUES (1, 10);
"""
REQUESTS = {
    "Bo reads": "SELECT balance FROM accounts WHERE owner = 'bo'",
    "Bo writes": "UPDATE accounts SET balance = balance + 1 WHERE owner = 'bo'",
    "Ana reads": "SELECT balance FROM accounts WHERE owner = 'ana'",
    "Ana writes": "UPDATE accounts SET balance = balance + 1 WHERE owner = 'ana'",
    "Bo pays Ana": """BEGIN;
        UPDATE accounts SET balance = balance - 30 WHERE owner = 'bo';
        UPDATE accounts SET balance = balance + 30 WHERE owner = 'ana';
        COMMIT""",
    "all accounts are counted": "SELECT count(*) FROM accounts",
    "the catalog is read": "SELECT price FROM products WHERE id = 1",
    "the catalog is written": "UPDATE products SET price = price + 1 WHERE id = 1",
    "a column is added": "ALTER TABLE accounts ADD COLUMN IF NOT EXISTS note text",
}
WITHOUT_COORDINATOR = ["the catalog is written", "a column is added"]
WITHOUT_WORKER = [
    "Ana reads", "Ana writes", "Bo pays Ana", "all accounts are counted", *WITHOUT_COORDINATOR
]  # fmt: skip
ANA = REQUESTS["Ana reads"]


def show(lab: Lab) -> Facts:
    """Send the same requests without worker 2, then without the coordinator; let one hang."""
    lab.make(ACCOUNTS)
    lab.make(CATALOG)
    lab.say("Bo's shard is on worker 1, Ana's on worker 2, the catalog on every node.")
    lab.say("Worker 2 is killed. A asks the coordinator:")
    with lab.away(lab.cluster.worker(2)):
        no_worker = ask(lab, lab.session("A"))
    lab.say("The coordinator is killed instead. A asks worker 1:")
    with lab.away(lab.cluster.coordinator):
        no_coordinator = ask(lab, lab.session("A", at=lab.cluster.worker(1)))
    hangs = hang(lab)
    both = "SELECT owner, balance FROM accounts WHERE owner IN ('ana', 'bo') ORDER BY owner"
    after = lab.session("A")(both).rows
    lab.verdict(
        fails(no_worker) == WITHOUT_WORKER
        and fails(no_coordinator) == WITHOUT_COORDINATOR
        and hangs
        and after == [("ana", 131), ("bo", 72)],
        "Without a node its rows are away, and what needs every node; nothing was half done.",
    )
    return {"no worker 2": no_worker, "no coordinator": no_coordinator, "hangs": hangs}


def ask(lab: Lab, session: Session) -> dict[str, str]:
    """Send every request; return the SQLSTATE of each that fails, and nothing for the others."""
    codes = {}
    for what, sql in REQUESTS.items():
        codes[what] = session.code(sql)
        lab.print(f"   {what:26}{'fails: ' + codes[what] if codes[what] else 'goes on'}")
    return codes


def fails(codes: dict[str, str]) -> list[str]:
    """Return what failed."""
    return [what for what, code in codes.items() if code]


def hang(lab: Lab) -> bool:
    """Tell whether a statement outlives its timeout when the node it waits for hangs."""
    old, new = lab.session("A"), lab.session("B")
    lab.say("Worker 2 hangs: it takes connections and answers nobody. B has not asked it before:")
    old.quietly(ANA)
    with lab.frozen(lab.cluster.worker(2)):
        new("SET statement_timeout = '200ms'")
        refused = new.refused(ANA)
        lab.say("A has a connection to it, and would have to be told that it has let go:")
        old("SET statement_timeout = '200ms'")
        reading = old.start(ANA)
        pid = old.connection.info.backend_pid
        since = f"SELECT now() - query_start > '1 s' FROM pg_stat_activity WHERE pid = {pid}"
        lab.until(lab.cluster.coordinator, since)
        waits = reading.waits
        lab.say("After a second A still waits. Worker 2 goes on.")
    return waits and [refused, reading.end()] == ["57014", "57014"]
