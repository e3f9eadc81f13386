"""What the examples share: a cluster that may be broken, and words for what is done to it.

Nothing here waits for time to pass: it waits until a server says that something has happened.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator

from docs.examples.consistency.session import PATIENCE, NotShown, Session
from docs.examples.consistency.wire import Wire
from tests import throwaway
from tests.throwaway import Server, Throwaway

SCHEMA = "example"
SETTINGS = {
    # With four shards, Bo's and Cleo's lie on worker 1, Ana's and Dora's on worker 2.
    "citus.shard_count": "4",
    # What a crash leaves behind is to be looked at before Citus clears it up.
    "citus.recover_2pc_interval": "-1",
}

ACCOUNTS = """
CREATE TABLE accounts (owner text PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0));
SELECT create_distributed_table('accounts', 'owner', colocate_with => 'none');
INSERT INTO accounts VALUES ('ana', 100), ('bo', 100), ('cleo', 100), ('dora', 100);
"""

# What differs from run to run.
MASKS = ((r"citus_\d+_\d+_\d+_\d+", "citus_…"), (r"\b(shard |\w+_)10\d{4}\b", r"\1…"))


class Lab:
    """Coordinator, two workers and a spare server; every example has a schema to itself."""

    def __init__(self, cluster: Throwaway, *, aloud: bool = True) -> None:
        self.cluster = cluster
        self.transcript: list[str] = []
        self._aloud = aloud
        self._sessions: list[Session] = []
        self._names = {cluster.coordinator.address: "coordinator"}
        for number, worker in enumerate(cluster.workers, 1):
            self._names[worker.address] = f"worker {number}"

    def print(self, line: str) -> None:
        """Print a line, and keep it."""
        self.transcript += line.splitlines()
        if self._aloud:
            print(line, flush=True)

    def say(self, text: str) -> None:
        """Print what no session says."""
        self.print(f"-- {text}")

    def verdict(self, holds: bool, text: str) -> None:
        """End the example with its one line.

        Raises:
            NotShown: it is not true of this cluster.
        """
        if not holds:
            raise NotShown(f"this cluster does not show that {text[0].lower()}{text[1:]}")
        self.print(f"=> {text}")

    def session(self, name: str, at: Server | None = None, settings: str = "") -> Session:
        """Open a session, on the coordinator unless said otherwise.

        Args:
            name: how the transcript calls it.
            settings: as on a server's command line, `-c name=value`.
        """
        server = at or self.cluster.coordinator
        opened = Session(name, server.dsn, self._tell, f"-c search_path={SCHEMA} {settings}")
        self._sessions.append(opened)
        return opened

    def make(self, sql: str) -> None:
        """Make the tables that an example needs, without a word."""
        session = self.session("")
        session.quietly(sql)
        # Forget what Citus has written down of it.
        session.quietly("SELECT recover_prepared_transactions()")

    def until(self, server: Server, sql: str) -> None:
        """Wait until a query on a server says true; TimeoutError if it never does."""
        deadline = time.monotonic() + PATIENCE
        with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
            while True:
                cursor.execute(sql)
                if cursor.fetchone()[0]:
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError(sql)
                time.sleep(0.01)  # how often it is asked, not how long it may take

    def until_locked_out(self, session: Session) -> None:
        """Wait until the statement of a session waits for a lock, on whichever node."""
        coordinator = self.cluster.coordinator
        mine = "SELECT global_pid FROM citus_stat_activity WHERE pid = %s AND NOT is_worker_query"
        gpid = coordinator.value(mine, [session.connection.info.backend_pid])
        waits = f"global_pid = {gpid} AND wait_event_type = 'Lock'"
        self.until(coordinator, f"SELECT count(*) > 0 FROM citus_stat_activity WHERE {waits}")
        self.say(f"{session.name} waits for a lock.")

    def kill(self, session: Session) -> None:
        """End the backend of a session, whatever it was doing, and wait until it is gone."""
        pid = session.connection.info.backend_pid
        self.cluster.sql("SELECT pg_terminate_backend(%s)", [pid])
        gone = f"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {pid}"
        self.until(self.cluster.coordinator, gone)

    def prepared(self, worker: int) -> int:
        """Return how many prepared transactions there are on a worker, and say it."""
        count = self.cluster.worker(worker).value("SELECT count(*) FROM pg_prepared_xacts")
        self.say(f"Prepared transactions on worker {worker}: {count}.")
        return int(count)

    @contextlib.contextmanager
    def wire(self, worker: int, near: Server | None = None) -> Iterator[Wire]:
        """Lead new connections to a worker over a wire that can be held.

        `pg_dist_poolinfo` is where a node is told of a pooler in front of another one.

        Args:
            worker: 1 or 2.
            near: the node whose connections they are; the coordinator unless said otherwise.
        """
        near, far = near or self.cluster.coordinator, self.cluster.worker(worker)
        wire = Wire(far.port)
        self._names[f"{throwaway.HOST}:{wire.port}"] = self._names[far.address]
        through = f"host={throwaway.HOST} port={wire.port}"
        insert = "INSERT INTO pg_dist_poolinfo SELECT nodeid, %s FROM pg_dist_node"
        near.sql(f"{insert} WHERE nodeport = %s", [through, far.port])
        try:
            yield wire
        finally:
            wire.close()
            self._close_sessions()
            near.sql("DELETE FROM pg_dist_poolinfo")

    @contextlib.contextmanager
    def replica(self, primary: Server) -> Iterator[Server]:
        """Make the spare server a streaming replica of another one, as long as the block lasts."""
        spare = self.cluster.spare(1)
        spare.kill()
        shutil.rmtree(spare.data)
        answer = primary.account.run(
            primary.bindir / "pg_basebackup", "-d", f"{primary.dsn}?application_name=replica",
            "-D", spare.data, "-R", "-X", "stream", "-c", "fast", "--no-sync",
        )  # fmt: skip
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        spare.start()
        try:
            yield spare
        finally:
            spare.kill()

    @contextlib.contextmanager
    def away(self, server: Server) -> Iterator[None]:
        """Kill a server, and start it again after the block."""
        server.kill()
        try:
            yield
        finally:
            server.start()

    @contextlib.contextmanager
    def frozen(self, server: Server) -> Iterator[None]:
        """Let a server hang, and go on after the block."""
        server.freeze()
        try:
            yield
        finally:
            server.thaw()

    @contextlib.contextmanager
    def scratch(self) -> Iterator[None]:
        """Give one example its schema, and leave nothing of it behind."""
        self.transcript = []
        self.cluster.sql(f"CREATE SCHEMA {SCHEMA}")
        try:
            yield
        finally:
            self._close_sessions()
            for node in (self.cluster.coordinator, *self.cluster.workers):
                node.sql("SELECT recover_prepared_transactions()")
            self.cluster.sql(f"SET client_min_messages TO error; DROP SCHEMA {SCHEMA} CASCADE")

    def _close_sessions(self) -> None:
        while self._sessions:
            self._sessions.pop().connection.close()

    def _tell(self, line: str) -> None:
        for address, name in self._names.items():
            line = line.replace(address, name)
        for pattern, name in MASKS:
            line = re.sub(pattern, name, line)
        self.print(line)


@contextlib.contextmanager
def laboratory(*, aloud: bool = True) -> Iterator[Lab]:
    """Make a cluster for some examples, and remove it afterwards."""
    with throwaway.cluster(workers=2, spare=1, schema=False, settings=SETTINGS) as made:
        yield Lab(made, aloud=aloud)
