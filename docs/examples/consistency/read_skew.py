"""No snapshot spans two nodes: a reader sees one half of a transfer, at every isolation level."""

from docs.examples.consistency.lab import ACCOUNTS, Lab
from docs.examples.consistency.session import Session
from docs.examples.consistency.wire import Wire

Facts = dict[str, object]
LEDGER = """
CREATE TABLE transfers (id int PRIMARY KEY, payer text, payee text, amount int NOT NULL);
SELECT create_distributed_table('transfers', 'id', colocate_with => 'none');
"""
ONE_CONNECTION = "SET citus.max_adaptive_executor_pool_size = 1"
# What Citus does by itself when a query over many shards takes longer.
SEVERAL_CONNECTIONS = "SET citus.force_max_query_parallelization = on"
TOTAL = "SELECT sum(balance) FROM accounts WHERE owner IN ('ana', 'bo')"


def show(lab: Lab) -> Facts:
    """Count what two people have together, which is 200 all the time."""
    lab.make(ACCOUNTS)
    lab.make(LEDGER)
    levels = {level: two_nodes(lab, level) for level in ("REPEATABLE READ", "SERIALIZABLE")}
    one = [one_node(lab, setting) for setting in (ONE_CONNECTION, SEVERAL_CONNECTIONS)]
    with lab.wire(worker=2) as wire:
        facts = half_a_commit(lab, wire)
    lab.verdict(
        set(levels.values()) == {230}
        and one == [200, 230]
        and facts == {"one statement": 230, "ledger": [("ana", "bo", 30)], "locked": 200},
        "A total over two nodes may never have been true; lock the rows, or keep it on one shard.",
    )
    return {**levels, "one node": one, **facts}


def two_nodes(lab: Lab, level: str) -> int:
    """Read Ana before a transfer and Bo after it, in one transaction."""
    a, b = lab.session("A"), lab.session("B")
    a.quietly("UPDATE accounts SET balance = 100")
    lab.say(f"B's snapshot of a node is taken when B first asks it, {level} or not.")
    b(f"BEGIN ISOLATION LEVEL {level}")
    first = b.value("SELECT balance FROM accounts WHERE owner = 'ana'")
    transfer(a)
    a("COMMIT")
    second = b.value("SELECT balance FROM accounts WHERE owner = 'bo'")
    b("COMMIT")
    lab.say(f"{first} + {second} = {first + second}: Ana's before the transfer, Bo's after it.")
    return int(first + second)


def one_node(lab: Lab, setting: str) -> int:
    """Read Bo before a transfer, and both after it; their shards are on one node."""
    a, b = lab.session("A"), lab.session("B")
    a.quietly("UPDATE accounts SET balance = 100")
    lab.say("Bo's and Cleo's shards are on one node; each connection to it has its snapshot.")
    b(setting)
    b("BEGIN ISOLATION LEVEL REPEATABLE READ")
    b("SELECT balance FROM accounts WHERE owner = 'bo'")
    a("BEGIN")
    a("UPDATE accounts SET balance = balance - 30 WHERE owner = 'bo'")
    a("UPDATE accounts SET balance = balance + 30 WHERE owner = 'cleo'")
    a("COMMIT")
    total = b.value("SELECT sum(balance) FROM accounts WHERE owner IN ('bo', 'cleo')")
    b("COMMIT")
    return int(total)


def half_a_commit(lab: Lab, wire: Wire) -> Facts:
    """Count while one node has committed, and the other has not heard of it yet."""
    a, b = lab.session("A"), lab.session("B")
    a.quietly("UPDATE accounts SET balance = 100")
    lab.say("One statement is no better. Worker 2 is late to hear COMMIT PREPARED:")
    wire.hold("COMMIT PREPARED")
    transfer(a)
    a("INSERT INTO transfers VALUES (1, 'ana', 'bo', 30)")
    commit = a.start("COMMIT")
    wire.wait()
    lab.until(lab.cluster.worker(1), "SELECT count(*) = 0 FROM pg_prepared_xacts")
    half = b.value(TOTAL)
    lab.say("A ledger has both sides in one row: it is there or not, never half of it.")
    ledger = b("SELECT payer, payee, amount FROM transfers WHERE id = 1").rows
    lab.say("Locks wait for who is in between. B takes Ana's row first, as everybody should:")
    b("BEGIN")
    ana = b.start("SELECT balance FROM accounts WHERE owner = 'ana' FOR SHARE")
    lab.until_locked_out(b)
    wire.release()
    commit.end()
    ana.end()
    locked = ana.value + b.value("SELECT balance FROM accounts WHERE owner = 'bo' FOR SHARE")
    b("COMMIT")
    return {"one statement": half, "ledger": ledger, "locked": locked}


def transfer(a: Session) -> None:
    """Move 30 from Ana to Bo, up to the COMMIT."""
    a("BEGIN")
    a("UPDATE accounts SET balance = balance - 30 WHERE owner = 'ana'")
    a("UPDATE accounts SET balance = balance + 30 WHERE owner = 'bo'")
