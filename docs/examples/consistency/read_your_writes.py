"""What was written is read at every primary at once, and at a replica when it has got there."""

import contextlib
from collections.abc import Iterator

from docs.examples.consistency.lab import ACCOUNTS, Lab
from docs.examples.consistency.session import Session
from tests import throwaway
from tests.throwaway import Server

Facts = dict[str, object]
ANA = "XX000"  # what is told to who asks for her: worker 2 has no replica
READ = "SELECT balance FROM accounts WHERE owner = 'bo'"
WAITS = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def show(lab: Lab) -> Facts:
    """Write at one node; read at another, and at a replica of the one that holds the row."""
    lab.make(ACCOUNTS)
    a, primary = lab.session("A"), lab.cluster.worker(1)
    lab.say("Bo's row is on worker 1. A writes through the coordinator, B reads at worker 2.")
    write(a, 1)
    any_node = lab.session("B", at=lab.cluster.worker(2)).value(READ)
    with lab.replica(primary) as replica:
        r = lab.session("R", at=replica)
        behind, total = asynchronous(lab, a, r)
        by_citus = secondary(lab, a, r, primary, replica)
        with synchronous(lab, primary):
            flushed = flushed_there(lab, a, r)
            applied = applied_there(lab, r, primary)
            waited = without_it(lab, replica, primary)
    lab.verdict(
        (any_node, behind, total, by_citus, flushed, applied, waited)
        == (1, 1, 302, (2, ANA), 3, 5, True),
        "Every primary has it at once; a replica surely only with remote_apply, which waits.",
    )
    return {
        "any node": any_node,
        "asynchronous": (behind, total),
        "use_secondary_nodes": by_citus,
        "flushed": flushed,
        "applied": applied,
        "waits for a dead replica": waited,
    }


def asynchronous(lab: Lab, a: Session, r: Session) -> tuple[int, int]:
    """Return a row and the total as they are read at a replica that is one write behind."""
    lab.say("R reads at a streaming replica of worker 1. It is asynchronous, and falls behind:")
    pause(lab, r)
    write(a, 2)
    behind = r.value(READ)
    lab.say("A query over all shards is sent to the primaries, so it knows more (302, not 301):")
    total = r.value("SELECT sum(balance) FROM accounts")
    resume(lab, r)
    r(READ)
    return int(behind), int(total)


def secondary(
    lab: Lab, a: Session, r: Session, primary: Server, replica: Server
) -> tuple[int, str]:
    """Read at replicas through Citus; return Bo's row, and what becomes of Ana's."""
    lab.say("Citus reads at replicas if it is told to, all or nothing; worker 2 has none:")
    address = [throwaway.HOST, replica.port, throwaway.HOST, primary.port]
    lab.cluster.sql("SELECT citus_add_secondary_node(%s, %s, %s, %s)", list(address))
    try:
        pause(lab, r)
        write(a, 3)
        s = lab.session("S", settings="-c citus.use_secondary_nodes=always")
        behind = s.value(READ)
        refused = s.refused("SELECT balance FROM accounts WHERE owner = 'ana'")
        resume(lab, r)
    finally:
        lab.cluster.sql("SELECT citus_remove_node(%s, %s)", list(address[:2]))
    return int(behind), refused


def pause(lab: Lab, r: Session) -> None:
    """Let the replica receive what is written, and not replay it."""
    r("SELECT pg_wal_replay_pause()  -- the replica falls behind")
    lab.until(lab.cluster.spare(1), "SELECT pg_get_wal_replay_pause_state() = 'paused'")


def resume(lab: Lab, r: Session) -> None:
    """Let the replica replay what the primary has written until now, and wait until it has."""
    written = lab.cluster.worker(1).value("SELECT pg_current_wal_flush_lsn()")
    r("SELECT pg_wal_replay_resume()  -- and catches up")
    lab.until(lab.cluster.spare(1), f"SELECT pg_last_wal_replay_lsn() >= '{written}'")


def flushed_there(lab: Lab, a: Session, r: Session) -> int:
    """Return what is read at a replica that has flushed the write, but not replayed it."""
    lab.say("Synchronous: COMMIT waits until the replica has flushed it, not until it shows it.")
    pause(lab, r)
    write(a, 4)
    return int(r.value(READ))


def applied_there(lab: Lab, r: Session, primary: Server) -> int:
    """Return what is read when the writer has waited for the replay."""
    lab.say("synchronous_commit = remote_apply on worker 1: A waits until R can read it.")
    configure(lab, primary, synchronous_commit="remote_apply")
    # A new session: one that was there might not have heard of the setting yet.
    writing = lab.session("A").start(update(5))
    lab.until(primary, WAITS)
    resume(lab, r)
    writing.end()
    return int(r.value(READ))


def without_it(lab: Lab, replica: Server, primary: Server) -> bool:
    """Tell whether a write waits as long as the replica is away."""
    lab.say("The replica dies. A waits, and would for ever; somebody has to do without it.")
    replica.kill()
    writing = lab.session("A").start(update(6))
    lab.until(primary, WAITS)
    waits = writing.waits
    configure(lab, primary, synchronous_standby_names="")
    writing.end()
    return waits


@contextlib.contextmanager
def synchronous(lab: Lab, primary: Server) -> Iterator[None]:
    """Let a primary wait for its replica."""
    configure(lab, primary, synchronous_standby_names="replica")
    lab.until(primary, "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'")
    # It is the checkpointer that tells the others to wait: let it read its settings first.
    primary.sql("CHECKPOINT")
    try:
        yield
    finally:
        configure(lab, primary, synchronous_standby_names="", synchronous_commit="on")


def configure(lab: Lab, server: Server, **settings: str) -> None:
    """Change settings of a running server, and wait until new sessions have them."""
    for name, value in settings.items():
        server.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    server.sql("SELECT pg_reload_conf()")
    for name, value in settings.items():
        lab.until(server, f"SELECT current_setting('{name}') = '{value}'")


def write(session: Session, balance: int) -> None:
    """Set Bo's balance."""
    session(update(balance))


def update(balance: int) -> str:
    """Return the statement that sets Bo's balance."""
    return f"UPDATE accounts SET balance = {balance} WHERE owner = 'bo'"
