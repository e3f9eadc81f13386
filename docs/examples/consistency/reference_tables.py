"""A reference table is written by two-phase commit on every node or none, and read locally."""

from docs.examples.consistency.lab import Lab

Facts = dict[str, object]
SCHEMA = """
CREATE TABLE products (id int PRIMARY KEY, price int NOT NULL);
SELECT create_reference_table('products');
INSERT INTO products VALUES (1, 10), (2, 50);
"""
READ = "SELECT price FROM products WHERE id = 1"


def show(lab: Lab) -> Facts:
    """Change a price: as usual, with one node late, beside another change, with one node away."""
    lab.make(SCHEMA)
    c = lab.session("C")
    lab.say("C is at the coordinator, W1 and W2 are at the workers. Each reads its own copy.")
    c("UPDATE products SET price = 11 WHERE id = 1")
    usual = everywhere(lab)
    late = one_is_late(lab)
    refused, still = one_is_away(lab)
    lab.verdict(
        (usual, late, refused, still)
        == ([11, 11, 11], ([12, 12, 11], [12, 12, 12]), "08006", [12, 12]),
        "All copies or none; for a moment they differ, and one node away stops every write.",
    )
    return {"usual": usual, "late": late, "refused": refused, "still": still}


def everywhere(lab: Lab) -> list[int]:
    """Read the price at the coordinator and at both workers."""
    nodes = [lab.cluster.coordinator, *lab.cluster.workers]
    names = ("C", "W1", "W2")
    return [lab.session(name, at).value(READ) for name, at in zip(names, nodes, strict=True)]


def one_is_late(lab: Lab) -> tuple[list[int], list[int]]:
    """Read the price everywhere while worker 2 has not heard COMMIT PREPARED, and afterwards."""
    with lab.wire(worker=2) as wire:
        a, b = lab.session("A"), lab.session("B")
        lab.say("COMMIT PREPARED is late to reach worker 2:")
        wire.hold("COMMIT PREPARED")
        commit = a.start("UPDATE products SET price = 12 WHERE id = 1")
        wire.wait()
        lab.until(lab.cluster.worker(1), "SELECT count(*) = 0 FROM pg_prepared_xacts")
        late = everywhere(lab)
        lab.say("Another product's price waits meanwhile: an update locks the whole table.")
        other = b.start("UPDATE products SET price = 51 WHERE id = 2")
        lab.until_locked_out(b)
        wire.release()
        commit.end()
        other.end()
        return late, everywhere(lab)


def one_is_away(lab: Lab) -> tuple[str, list[int]]:
    """Try to change the price while worker 2 is away, and read it at the others."""
    a = lab.session("A")
    lab.say("Worker 2 is killed. Writes are refused, reads go on:")
    with lab.away(lab.cluster.worker(2)):
        told = a.refused("UPDATE products SET price = 13 WHERE id = 1")
        c, w = lab.session("C"), lab.session("W1", at=lab.cluster.worker(1))
        return told, [c.value(READ), w.value(READ)]
