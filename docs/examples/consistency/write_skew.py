"""SERIALIZABLE is a promise of each node: across two nodes, write skew goes through."""

from docs.examples.consistency.lab import Lab
from docs.examples.consistency.session import Session
from tests.throwaway import Server

Facts = dict[str, object]
SCHEMA = """
CREATE TABLE on_call (who text PRIMARY KEY, present boolean NOT NULL);
SELECT create_distributed_table('on_call', 'who', colocate_with => 'none');
CREATE TABLE wards (ward text PRIMARY KEY, present int NOT NULL);
SELECT create_distributed_table('wards', 'ward', colocate_with => 'none');
INSERT INTO wards VALUES ('one', 2);
"""


def show(lab: Lab) -> Facts:
    """Let two people leave who each see that the other is still there; one has to stay."""
    lab.make(SCHEMA)
    lab.say("The rule: one of two stays. Bo and Cleo are on worker 1, on different shards.")
    one_node = leave(lab, "bo", "cleo")
    lab.say("Worker 1 has refused it, and calls it what it is to those who ask it directly:")
    directly = leave(lab, "bo", "cleo", at=lab.cluster.worker(1))
    lab.say("The same with Bo and Ana, who is on worker 2.")
    two_nodes = leave(lab, "bo", "ana")
    lab.say("The remedy: a row of which there is one, and a guard in the statement.")
    guarded = leave_guarded(lab)
    lab.verdict(
        (one_node, directly) == (("XX000", 1), ("40001", 1))
        and (two_nodes, guarded) == (("", 0), ([1, 0], 1)),
        "What has to hold at all times is kept by one row on one shard, not by SERIALIZABLE.",
    )
    return {"one node": one_node, "directly": directly, "two nodes": two_nodes, "guarded": guarded}


def leave(lab: Lab, first: str, second: str, at: Server | None = None) -> tuple[str, int]:
    """Let both leave at once; return what the second was told, and how many are there then."""
    a, b = lab.session("A", at), lab.session("B", at)
    lab.session("").quietly(
        f"TRUNCATE on_call; INSERT INTO on_call VALUES ('{first}', true), ('{second}', true)"
    )
    for session in (a, b):
        session("BEGIN ISOLATION LEVEL SERIALIZABLE")
        see(session, first)
        see(session, second)
    a(f"UPDATE on_call SET present = false WHERE who = '{first}'")
    b(f"UPDATE on_call SET present = false WHERE who = '{second}'")
    a("COMMIT")
    told = b.outcome("COMMIT")
    return told, int(a.value("SELECT count(*) FROM on_call WHERE present"))


def see(session: Session, who: str) -> None:
    """Look whether somebody is there."""
    session(f"SELECT who, present FROM on_call WHERE who = '{who}'")


def leave_guarded(lab: Lab) -> tuple[list[int], int]:
    """Let both leave by a guarded update; return the rows that each changed, and who is left."""
    a, b = lab.session("A"), lab.session("B")
    leave = "UPDATE wards SET present = present - 1 WHERE ward = 'one' AND present > 1"
    a("BEGIN")
    gone = [a.change(leave)]
    waiting = b.start(leave)
    lab.until_locked_out(b)
    a("COMMIT")
    waiting.end()
    gone.append(waiting.changed)
    return gone, int(a.value("SELECT present FROM wards WHERE ward = 'one'"))
