"""Two shards on two nodes: atomic in the end, by two-phase commit, whatever dies on the way."""

from docs.examples.consistency.lab import ACCOUNTS, Lab
from docs.examples.consistency.session import Session, Waiting
from docs.examples.consistency.wire import Wire

Facts = dict[str, object]
EXPECTED: Facts = {
    "prepared for one node": 0,
    # Ana's and Bo's balances in the end, and what was seen on the way there.
    "decided": (70, 130),
    "prepared in between": (0, 1),
    "told": "",
    "own write": 100,
    "total under a table lock": 230,
    "blocked": "55P03",
    "recovered": 1,
    "refused": ("XX000", (70, 130)),
    "undecided": (70, 130),
    "left behind": (1, 0),
    "rolled back": 1,
    "led by a worker": (100, 100),
    "own write at the leader": (100, 70),
    "recovered by coordinator and leader": (0, 1),
}


def show(lab: Lab) -> Facts:
    """Break a transfer after its decision, then one before it, then one led by the payer's node."""
    lab.make(ACCOUNTS)
    facts: Facts = {"prepared for one node": one_node(lab)}
    lab.say("Ana's account is on worker 2.")
    with lab.wire(worker=2) as wire:
        facts |= decided(lab, wire) | refused(lab, wire) | undecided(lab, wire)
    with lab.wire(worker=2, near=lab.cluster.worker(1)) as wire:
        facts |= led_by_a_worker(lab, wire)
    lab.verdict(
        facts == EXPECTED,
        "All or nothing, in the end: what was decided is committed, all else is rolled back.",
    )
    return facts


def one_node(lab: Lab) -> int:
    """Move something between two shards of one node; return how many commits Citus wrote down."""
    a = lab.session("A")
    lab.say("Bo's and Cleo's shards are on worker 1: one COMMIT there, and no second phase.")
    a("BEGIN")
    a("UPDATE accounts SET balance = balance - 30 WHERE owner = 'bo'")
    a("UPDATE accounts SET balance = balance + 30 WHERE owner = 'cleo'")
    a("COMMIT")
    written = a.value("SELECT count(*) FROM pg_dist_transaction")
    a.quietly("UPDATE accounts SET balance = 100 WHERE owner = 'bo'")
    return int(written)


def decided(lab: Lab, wire: Wire) -> Facts:
    """Lose the connection when both nodes have prepared and the coordinator has decided."""
    a, b = lab.session("A"), lab.session("B")
    lab.say("COMMIT PREPARED will not reach worker 2.")
    commit = transfer(a, wire, "COMMIT PREPARED")
    lab.until(lab.cluster.worker(1), "SELECT count(*) = 0 FROM pg_prepared_xacts")
    between = lab.prepared(1), lab.prepared(2)
    lab.say("The wire is cut. The coordinator has decided, so A is told that all is well …")
    wire.cut()
    told = commit.end()
    lab.say("… and does not read its own write:")
    own = a.value("SELECT balance FROM accounts WHERE owner = 'ana'")
    lab.say("No session holds a lock on the table any more, so one gets it, and a wrong total:")
    b("BEGIN")
    b("LOCK TABLE accounts IN SHARE MODE")
    total = b.value("SELECT sum(balance) FROM accounts WHERE owner IN ('ana', 'bo')")
    b("ROLLBACK")
    lab.say("The row is still locked; whoever wants it, even to read it for sure, waits:")
    b("BEGIN")
    b("SET LOCAL citus.propagate_set_commands = 'local'")
    b("SET LOCAL lock_timeout = '200ms'")
    blocked = b.refused("SELECT balance FROM accounts WHERE owner = 'ana' FOR SHARE")
    b("ROLLBACK")
    lab.say("Citus's maintenance daemon asks this once a minute; here B does:")
    recovered = b.value("SELECT recover_prepared_transactions()")
    return {
        "prepared in between": between,
        "told": told,
        "own write": own,
        "total under a table lock": total,
        "blocked": blocked,
        "recovered": recovered,
        "decided": balances(b),
    }


def refused(lab: Lab, wire: Wire) -> Facts:
    """Lose the connection before worker 2 has prepared, while the leader lives to hear of it."""
    a = lab.session("A")
    lab.say("Once more. The wire is cut before PREPARE TRANSACTION reaches worker 2.")
    commit = transfer(a, wire, "PREPARE TRANSACTION")
    lab.until(lab.cluster.worker(1), "SELECT count(*) = 1 FROM pg_prepared_xacts")
    wire.cut()
    code = commit.end()
    lab.until(lab.cluster.worker(1), "SELECT count(*) = 0 FROM pg_prepared_xacts")
    return {"refused": (code, balances(a))}


def undecided(lab: Lab, wire: Wire) -> Facts:
    """End the session that leads the transaction when only one of two nodes has prepared."""
    a, b = lab.session("A"), lab.session("B")
    lab.say("Once more, and now A's backend is killed as well: nobody is left to roll back.")
    commit = transfer(a, wire, "PREPARE TRANSACTION")
    lab.until(lab.cluster.worker(1), "SELECT count(*) = 1 FROM pg_prepared_xacts")
    lab.kill(a)
    wire.cut()
    commit.end()
    left = lab.prepared(1), lab.prepared(2)
    rolled_back = b.value("SELECT recover_prepared_transactions()")
    return {"left behind": left, "rolled back": rolled_back, "undecided": balances(b)}


def led_by_a_worker(lab: Lab, wire: Wire) -> Facts:
    """Lose COMMIT PREPARED of a transaction that was opened on the node of one of its rows."""
    bo, b = lab.session("A", at=lab.cluster.worker(1)), lab.session("B")
    lab.say("Now A is at worker 1, where Bo's rows are, as the shop's orders are at their user's.")
    wire.hold("COMMIT PREPARED")
    bo("BEGIN")
    bo("UPDATE accounts SET balance = balance - 30 WHERE owner = 'bo'")
    bo("UPDATE accounts SET balance = balance + 30 WHERE owner = 'ana'")
    commit = bo.start("COMMIT")
    wire.wait()
    wire.cut()
    commit.end()
    lab.say("Bo's row is committed with the decision itself; Ana's is late.")
    own = bo.value("SELECT balance FROM accounts WHERE owner = 'bo'")
    others = bo.value("SELECT balance FROM accounts WHERE owner = 'ana'")
    lab.say("The leader alone can clear up: the coordinator knows nothing of it.")
    by_coordinator = b.value("SELECT recover_prepared_transactions()")
    by_leader = bo.value("SELECT recover_prepared_transactions()")
    return {
        "own write at the leader": (own, others),
        "recovered by coordinator and leader": (by_coordinator, by_leader),
        "led by a worker": balances(b),
    }


def transfer(a: Session, wire: Wire, word: str) -> Waiting:
    """Move 30 from Ana to Bo; return the COMMIT, which is held at a word on its way to Ana's."""
    wire.hold(word)
    a("BEGIN")
    a("UPDATE accounts SET balance = balance - 30 WHERE owner = 'ana'")
    a("UPDATE accounts SET balance = balance + 30 WHERE owner = 'bo'")
    commit = a.start("COMMIT")
    wire.wait()
    return commit


def balances(session: Session) -> tuple[int, ...]:
    """Return Ana's and Bo's."""
    both = "SELECT owner, balance FROM accounts WHERE owner IN ('ana', 'bo') ORDER BY owner"
    return tuple(balance for _, balance in session(both).rows)
