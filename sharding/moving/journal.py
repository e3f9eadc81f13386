"""The journal of what shardctl did: schema `shardctl` on the coordinator, created on first use.

Runs and their moves are written as they happen, so that a run that was killed is seen by the next
one. It records; it never decides: what is left to do is always read from the cluster itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sharding.connection import Row, Session
from sharding.errors import Interrupted as InterruptedBySignal
from sharding.errors import JournalNotWritable, QueryFailed, ShardingError, Stopped
from sharding.inspection import journaled

# The journal is the coordinator's alone: without the setting, Citus would make the schema
# on every worker too.
LOCAL = "SET LOCAL citus.enable_ddl_propagation TO off"
TABLES = """
CREATE SCHEMA IF NOT EXISTS shardctl;
CREATE TABLE IF NOT EXISTS shardctl.runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    outcome text NOT NULL DEFAULT 'running',
    role text NOT NULL DEFAULT session_user,
    backend integer NOT NULL DEFAULT pg_backend_pid(),
    moves_planned integer NOT NULL,
    bytes_planned bigint NOT NULL,
    stop text CHECK (stop IN ('after-move', 'now')),
    detail text NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS shardctl.moves (
    run bigint NOT NULL REFERENCES shardctl.runs (id) ON DELETE CASCADE,
    number integer NOT NULL,
    kind text NOT NULL,
    shard bigint,
    tables text[] NOT NULL,
    source text NOT NULL,
    target text NOT NULL,
    bytes bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    seconds double precision,
    write_block_seconds double precision,
    outcome text NOT NULL DEFAULT 'running',
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (run, number)
);
"""
# Whoever may read statistics may read what was moved.
GRANTS = """
GRANT USAGE ON SCHEMA shardctl TO pg_monitor;
GRANT SELECT ON ALL TABLES IN SCHEMA shardctl TO pg_monitor;
"""
GRANTED = "SELECT has_schema_privilege('pg_monitor', 'shardctl', 'USAGE')"
BEGIN = """
INSERT INTO shardctl.runs (command, moves_planned, bytes_planned)
VALUES (%s, %s, %s) RETURNING id
"""
END = """
UPDATE shardctl.runs SET outcome = %s, detail = %s, ended_at = clock_timestamp() WHERE id = %s
"""
NOTE = "UPDATE shardctl.runs SET detail = %s WHERE id = %s"
BEGIN_MOVE = """
INSERT INTO shardctl.moves (run, number, kind, shard, tables, source, target, bytes)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
END_MOVE = """
UPDATE shardctl.moves
   SET outcome = %s, error = %s, seconds = %s, write_block_seconds = %s,
       ended_at = clock_timestamp()
 WHERE run = %s AND number = %s
"""
# Only whoever holds the lock may say so: then no run can be under way.
INTERRUPTED = """
UPDATE shardctl.runs SET outcome = 'interrupted', ended_at = clock_timestamp()
 WHERE outcome = 'running' AND id <> %s
RETURNING id, command, started_at, moves_planned,
          (SELECT count(*) FROM shardctl.moves WHERE run = runs.id AND outcome = 'done') AS done
"""
INTERRUPTED_MOVES = """
UPDATE shardctl.moves SET outcome = 'interrupted', ended_at = clock_timestamp()
 WHERE outcome = 'running' AND run <> %s
"""
ASK_TO_STOP = """
UPDATE shardctl.runs SET stop = %s WHERE outcome = 'running' RETURNING id, command, backend
"""
ASKED = "SELECT stop FROM shardctl.runs WHERE id = %s"
RUNS = """
SELECT runs.*, count(moves.number) FILTER (WHERE moves.outcome = 'done') AS moves_done,
       coalesce(sum(moves.bytes) FILTER (WHERE moves.outcome = 'done'), 0)::bigint AS bytes_done,
       sum(moves.seconds) FILTER (WHERE moves.outcome = 'done') AS seconds,
       max(moves.write_block_seconds) AS longest_write_block
  FROM shardctl.runs LEFT JOIN shardctl.moves ON moves.run = runs.id
 GROUP BY runs.id ORDER BY runs.id DESC LIMIT %s
"""
# Runs that mark a node to take no shards, until they or `drain --undo` say otherwise.
MARKED = r"""
SELECT DISTINCT split_part(command, ' ', 2) AS node FROM shardctl.runs
 WHERE command ~ '^(drain|add-node) '
"""
MOVES = "SELECT * FROM shardctl.moves WHERE run = %s ORDER BY number"


class Outcome(StrEnum):
    """How a run or a move ended."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # asked by `shardctl stop`, or enough moves
    CANCELLED = "cancelled"  # Ctrl-C, or `stop --now`
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # shardctl itself was killed

    @classmethod
    def of(cls, error: BaseException) -> Outcome:
        """Return how a run ended that this error ended."""
        if isinstance(error, Stopped):
            return cls.STOPPED
        failed = isinstance(error, ShardingError) and not isinstance(error, InterruptedBySignal)
        return cls.FAILED if failed else cls.CANCELLED


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """A run whose shardctl went away without ending it."""

    run: int
    command: str
    started_at: datetime
    moves_done: int
    moves_planned: int


class Journal:
    """Writes one run; `session` must be the one that holds the lock."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.run = 0

    def prepare(self) -> None:
        """Create the journal's tables where there are none.

        Raises:
            JournalNotWritable: the role may not create or write them.
        """
        try:
            if not exists(self._session):
                with self._session.transaction():
                    self._session.execute(LOCAL)
                    self._session.execute(TABLES)
                    self._session.execute(GRANTS)
            elif not self._session.value(GRANTED):
                self._session.execute(GRANTS)
            self._session.execute("UPDATE shardctl.runs SET detail = detail WHERE false")
        except QueryFailed as error:
            raise _not_writable(self._session, error) from error

    def begin(self, command: str, *, moves: int, size: int) -> list[Interrupted]:
        """Begin a run; return the runs that were interrupted before it."""
        self.run = int(self._session.value(BEGIN, [command, moves, size]))
        self._session.set(
            "application_name", f"shardctl {command.split(maxsplit=1)[0]} run {self.run}"
        )
        lost = self._session.query(INTERRUPTED, [self.run])
        self._session.execute(INTERRUPTED_MOVES, [self.run])
        return [
            Interrupted(
                run=row.id,
                command=row.command,
                started_at=row.started_at,
                moves_done=row.done,
                moves_planned=row.moves_planned,
            )
            for row in lost
        ]

    def end(self, outcome: Outcome, detail: str = "") -> None:
        """Write how the run ended."""
        self._session.execute(END, [outcome.value, detail, self.run])

    def note(self, detail: str) -> None:
        """Write what the run waits for; empty when it goes on."""
        with self._session.muted():
            self._session.execute(NOTE, [detail, self.run])

    def begin_move(
        self, number: int, *, kind: str, shard: int | None, tables: tuple[str, ...],
        source: str, target: str, size: int,
    ) -> None:  # fmt: skip
        """Write that a move begins."""
        values: list[Any] = [self.run, number, kind, shard, list(tables), source, target, size]
        self._session.execute(BEGIN_MOVE, values)

    def end_move(
        self, number: int, outcome: Outcome, *, took: timedelta, blocked: timedelta, error: str = ""
    ) -> None:
        """Write how a move ended, and for how long writes to its shards had to wait at most."""
        seconds = [took.total_seconds(), blocked.total_seconds()]
        self._session.execute(END_MOVE, [outcome.value, error, *seconds, self.run, number])

    def asked_to_stop(self) -> str | None:
        """Return what `shardctl stop` asks of this run: 'after-move', 'now', or None."""
        with self._session.muted():
            asked = self._session.value(ASKED, [self.run])
        return str(asked) if asked else None


def exists(session: Session) -> bool:
    """Whether this cluster has a journal."""
    return journaled.is_there(session)


def marked(session: Session) -> set[str]:
    """Return the nodes that runs have marked to take no shards, whether they still are or not."""
    return {row.node for row in session.query(MARKED)} if journaled.is_readable(session) else set()


def ask_to_stop(session: Session, *, now: bool) -> Row | None:
    """Ask the running run to stop; return its id, command and backend, None if none is running."""
    return session.row(ASK_TO_STOP, ["now" if now else "after-move"])


def runs(session: Session, limit: int) -> list[Row]:
    """Return the newest runs with the sums of their moves."""
    return session.query(RUNS, [limit])


def is_known(session: Session, run: int) -> bool:
    """Whether there is a run of this number."""
    return bool(session.value("SELECT count(*) FROM shardctl.runs WHERE id = %s", [run]))


def moves(session: Session, run: int) -> list[Row]:
    """Return the moves of a run."""
    return session.query(MOVES, [run])


def _not_writable(session: Session, error: QueryFailed) -> Exception:
    if error.sqlstate != "42501":  # insufficient_privilege
        return error
    role, database = session.row("SELECT current_user, current_database()") or ("?", "?")
    return JournalNotWritable(
        f"The role {role} may not keep shardctl's journal (schema shardctl in {database});"
        " nothing was changed. Connect as a superuser, or grant it CREATE on the database."
    )
