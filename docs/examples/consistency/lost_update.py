"""A write computed from an earlier read undoes what came in between; a guarded update does not."""

from docs.examples.consistency.lab import Lab

Facts = dict[str, object]
SCHEMA = """
CREATE TABLE stock (product_id int PRIMARY KEY, available int NOT NULL CHECK (available >= 0));
SELECT create_distributed_table('stock', 'product_id', colocate_with => 'none');
INSERT INTO stock VALUES (1, 1), (2, 5);
"""
READ = "SELECT available FROM stock WHERE product_id = 1"
GUARDED = """UPDATE stock SET available = available - 1
   WHERE product_id = 1 AND available >= 1"""


def show(lab: Lab) -> Facts:
    """Sell the last unit to two customers, in three ways; then take of two products at once."""
    lab.make(SCHEMA)
    sold = {
        "written back": written_back(lab),
        "repeatable read": repeatable_read(lab),
        "guarded": guarded(lab),
    }
    shelf = two_products(lab)
    lab.verdict(
        shelf == [(1, 1), (2, 5)]
        and sold == {"written back": (2, 0), "repeatable read": (1, "40001"), "guarded": (1, 0)},
        "The row count of a guarded update decides; what was read before is no argument.",
    )
    return {**sold, "two products": shelf}


def refill(lab: Lab) -> None:
    """Put one unit of product 1 and five of product 2 on the shelf."""
    lab.session("").quietly("TRUNCATE stock; INSERT INTO stock VALUES (1, 1), (2, 5)")


def written_back(lab: Lab) -> tuple[int, int]:
    """Read, decide, and write what was computed; return the units sold and those left."""
    refill(lab)
    a, b = lab.session("A"), lab.session("B")
    lab.say("One unit is left. Both read it, both sell it, both write what they have computed:")
    sold = 0
    seen = {session: session.value(READ) for session in (a, b)}
    for session, available in seen.items():
        if available >= 1:
            write = f"UPDATE stock SET available = {available - 1} WHERE product_id = 1"
            sold += session.change(write)
    return sold, int(a.value(READ))


def repeatable_read(lab: Lab) -> tuple[int, str]:
    """The same in REPEATABLE READ; return the units sold, and what the second one was told."""
    refill(lab)
    a, b = lab.session("A"), lab.session("B")
    lab.say("REPEATABLE READ sees that the row has changed, and refuses. The second begins anew:")
    for session in (a, b):
        session("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session(READ)
    sold = a.change("UPDATE stock SET available = 0 WHERE product_id = 1")
    a("COMMIT")
    told = b.refused("UPDATE stock SET available = 0 WHERE product_id = 1")
    b("ROLLBACK")
    return sold, told


def guarded(lab: Lab) -> tuple[int, int]:
    """Let the statement decide; return the units sold and those left."""
    refill(lab)
    a, b = lab.session("A"), lab.session("B")
    lab.say("A guarded update looks again when it has the row's lock, in READ COMMITTED:")
    a("BEGIN")
    sold = a.change(GUARDED)
    second = b.start(GUARDED)
    lab.until_locked_out(b)
    a("COMMIT")
    second.end()
    return sold + second.changed, int(a.value(READ))


def two_products(lab: Lab) -> list[tuple[int, int]]:
    """Take from two shards, of which one has too little; return the shelf afterwards."""
    refill(lab)
    a = lab.session("A")
    lab.say("Over two shards: one falls short, and the transaction gives back the other's.")
    a("BEGIN")
    a(GUARDED)
    a("UPDATE stock SET available = available - 6 WHERE product_id = 2 AND available >= 6")
    a("ROLLBACK")
    return a("SELECT product_id, available FROM stock ORDER BY product_id").rows
