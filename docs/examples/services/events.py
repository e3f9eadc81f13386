"""How a service tells what happened, and hears of it: at least once.

Invariant: an event exists if and only if its transaction was committed (outbox), is sent until the
stream has it, and is acknowledged after the transaction that handled it (inbox). So it may come
twice, late, or behind a younger one. A stream that is lost is filled again from the outbox.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

import psycopg2
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from docs.examples.services.store import Database
from sharding.ids import new_id

logger = logging.getLogger(__name__)

TABLES = """
CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event text NOT NULL,
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (position) WHERE sent_at IS NULL;
CREATE TABLE inbox (event_id uuid PRIMARY KEY, handled_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE dead_letter (entry_id text PRIMARY KEY, event text NOT NULL, error text NOT NULL);
"""
LONGEST = 100_000  # entries of a stream; who was away for longer asks for the outbox again
IDLE = 300  # milliseconds after which what a consumer has not acknowledged is handled once more
WAIT = 200  # milliseconds for something new
MOST_DELIVERIES = 3  # then it is a case for a person
SCHEMAS = {1}  # that are understood here


class Event(NamedTuple):
    """What happened to one thing.

    `version` counts the changes of `subject`; `schema` those of `data` that older consumers could
    not read. What `data` has beyond what a consumer knows, the consumer ignores.
    """

    id: UUID
    type: str
    schema: int
    subject: str
    version: int
    data: dict[str, Any]


def connect(url: str) -> Any:
    """Return a Redis whose answers are text, which redis-py's own types cannot say."""
    return Redis.from_url(url, decode_responses=True, protocol=2, socket_timeout=5)


Handler = Callable[[Any, Event], None]


def parse(text: str) -> Event:
    """Return the event; ValueError, KeyError or TypeError if it is none."""
    told = json.loads(text)
    return Event(UUID(told["id"]), *(told[name] for name in Event._fields[1:]))


def publish(cursor: Any, type_: str, *, subject: str, version: int, data: dict[str, Any]) -> None:
    """Write down what happened, in the transaction in which it does."""
    event = Event(new_id(), type_, 1, subject, version, data)
    text = json.dumps(event._asdict(), default=str)
    cursor.execute("INSERT INTO outbox (event) VALUES (%s)", [text])


def relay(database: Database, redis: Any, stream: str) -> int:
    """Send what the stream does not have yet, oldest first; return how much that was.

    Killed between sending and noting, it sends again. Several relays may run; they may change the
    order, and consumers go by `version`.
    """
    with database.transaction() as cursor:
        cursor.execute(
            "SELECT position, event FROM outbox WHERE sent_at IS NULL"
            " ORDER BY position LIMIT 100 FOR UPDATE SKIP LOCKED"
        )
        waiting = cursor.fetchall()
        for row in waiting:
            redis.xadd(stream, {"event": row["event"]}, maxlen=LONGEST)
        sent = [row["position"] for row in waiting]
        cursor.execute("UPDATE outbox SET sent_at = now() WHERE position = ANY (%s)", [sent])
    return len(sent)


def send_again(database: Database) -> None:
    """Have everything sent once more: the stream was lost, or a consumer is new."""
    database.run("UPDATE outbox SET sent_at = NULL")


class Consumer:
    """Hears a stream in a group's name; several of a group share its events."""

    def __init__(
        self, database: Database, redis: Any, stream: str, group: str,
        handlers: Mapping[str, Handler],
    ) -> None:  # fmt: skip
        self._database, self._redis = database, redis
        self._stream, self._group, self._handlers = stream, group, handlers

    def turn(self) -> None:
        """Take what is new, and what was taken before and never acknowledged."""
        redis, stream, group = self._redis, self._stream, self._group
        with suppress(ResponseError):  # it is there
            redis.xgroup_create(stream, group, id="0", mkstream=True)
        _, entries, *_ = redis.xautoclaim(stream, group, group, min_idle_time=IDLE)
        for _, new in redis.xreadgroup(group, group, {stream: ">"}, count=100, block=WAIT):
            entries += new
        for entry_id, fields in entries:
            self._take(entry_id, fields.get("event", ""))

    def _take(self, entry_id: str, text: str) -> None:
        try:
            self.receive(text)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            raise  # the database is away, the event is not to blame: it comes again
        except Exception as error:
            if not self._give_up(entry_id, text, error):
                return
        self._redis.xack(self._stream, self._group, entry_id)

    def receive(self, text: str) -> bool:
        """Handle an event in one transaction with the note of it; False: it was handled before."""
        event = parse(text)
        if event.schema not in SCHEMAS:
            raise ValueError(f"unknown schema {event.schema} of {event.type}")
        with self._database.transaction() as cursor:
            cursor.execute("INSERT INTO inbox VALUES (%s) ON CONFLICT DO NOTHING", [event.id])
            is_new = bool(cursor.rowcount)
            if is_new and (handler := self._handlers.get(event.type)):
                handler(cursor, event)
        return is_new

    def try_again(self) -> int:
        """Handle what was put aside, after its cause was mended; return how much that was."""
        aside = self._database.rows("SELECT entry_id, event FROM dead_letter ORDER BY entry_id")
        for row in aside:
            self.receive(row["event"])
            self._database.run("DELETE FROM dead_letter WHERE entry_id = %s", row["entry_id"])
        return len(aside)

    def _give_up(self, entry_id: str, text: str, error: Exception) -> bool:
        """Put an event aside that failed too often, so that the others go on."""
        (pending,) = self._redis.xpending_range(self._stream, self._group, entry_id, entry_id, 1)
        if pending["times_delivered"] < MOST_DELIVERIES:
            return False
        logger.error("event %s is put aside: %r", entry_id, error)
        put_aside = "INSERT INTO dead_letter VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        self._database.run(put_aside, entry_id, text, repr(error))
        return True


def in_background(*turns: Callable[[], Any]) -> None:
    """Call each again and again, in a thread of its own that outlives what it raises."""

    def run(turn: Callable[[], Any]) -> None:
        while True:
            try:
                turn()
            except (psycopg2.Error, RedisError) as error:
                logger.warning("%s: %s", turn, error)
            except Exception:
                logger.exception("%s", turn)
            time.sleep(0.1)

    for turn in turns:
        threading.Thread(target=run, args=[turn], daemon=True).start()
