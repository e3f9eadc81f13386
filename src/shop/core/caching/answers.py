"""Asking for an entry, and making it when it is not there: once, whoever else asks meanwhile.

An entry is **fresh** for settings.CACHE_FRESH, and **kept** for settings.CACHE_KEPT. Between the
two the one who gets the lock makes it anew, and all others get the old one. When it is not there,
or a write has made it stale, the others wait for the one: after a write nobody is answered with
what was there before.

The lock expires by itself (LOCK): whoever held it has died or is slow, and the next one takes over.
Nobody waits longer than PATIENCE. Without Redis everybody asks the database.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from os import urandom
from typing import Any, NamedTuple

from django.conf import settings
from prometheus_client import Counter

from shop.core.caching.entries import TOKEN_BYTES, Entry, Question, Tokens, pack, unpack
from shop.core.redis import RedisGone, breaker, client, fetch

REQUESTS = Counter(
    "shardmart_cache_requests",
    "Questions to the cache. hit, negative and stale came from Redis; for waited somebody else had "
    "just made it; miss was made; bypass was made without Redis.",
    ["view", "outcome"],
)
MADE = Counter("shardmart_cache_recomputations", "Entries made from the database.", ["view"])
WAITS = Counter(
    "shardmart_cache_lock_waits",
    "Waits for an entry that somebody else was making: answered, or took_over.",
    ["view", "outcome"],
)

PART = "cache"
OK = 200
LOCK = timedelta(seconds=3)
PATIENCE = 3.5  # seconds
PAUSES = (0.005, 0.05)  # seconds: the first, growing by half, and the longest
TOKEN_LIFETIME = timedelta(days=1)  # longer than any entry

# Take the lock; if it is free, return the entry of this moment and its tokens, made where missing.
# KEYS: lock, entry, tokens. ARGV: owner, the lock's ms, a new token, its lifetime in seconds.
TAKE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local found = {redis.call('GET', KEYS[2])}
for i = 3, #KEYS do
  local token = redis.call('GET', KEYS[i])
  if not token then
    token = ARGV[3]
    redis.call('SET', KEYS[i], token, 'EX', ARGV[4])
  end
  found[i - 1] = token
end
return found
"""
# Keep the entry, if there is one, and give the lock back, if it is still ours. Of an odd question,
# which has a mark, the first asking leaves that instead.
# KEYS: lock, entry, mark if any. ARGV: owner, the entry or nothing, its lifetime in ms.
GIVE_BACK = """
if ARGV[2] ~= '' and not (KEYS[3] and redis.call('SET', KEYS[3], '', 'NX', 'PX', ARGV[3])) then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class Made(NamedTuple):
    """An answer from the database. See `Entry`."""

    status: int
    body: bytes


class Lease:
    """The right, and the duty, to make an entry.

    Attributes:
        entry: what is there already, if it still counts.
    """

    def __init__(self, question: Question, owner: bytes, tokens: Tokens, raw: bytes | None) -> None:
        self.question = question
        self.entry = unpack(raw, tokens)
        self._owner = owner
        self._tokens = tokens
        self._held = True

    def keep(self, entry: Entry) -> None:
        """Keep what was made, if it is to be kept, and let the others have it."""
        lifetime = settings.CACHE_KEPT if entry.status == OK else settings.CACHE_NEGATIVE
        self._end(pack(entry, self._tokens), int(lifetime.total_seconds() * 1000))

    def release(self) -> None:
        """Let another one try; after `keep` it does nothing."""
        if self._held:
            self._end(b"", 0)

    def _end(self, raw: bytes, lifetime: int) -> None:
        self._held = False
        keys = [self.question.lock, self.question.key]
        keys += [self.question.asked] if self.question.asked else []
        try:
            _run(GIVE_BACK, keys, [self._owner, raw, lifetime])
        except RedisGone:
            return  # the lock ends by itself


def look_up(question: Question) -> Entry | None:
    """Return the entry if it is there and counts, fresh or not; one round trip.

    Raises:
        RedisGone
    """
    raw, *tokens = fetch(PART, question.lookup)
    return unpack(raw, tokens)


def take(question: Question) -> Lease | None:
    """Return the lease of a question's entry; None if somebody else has it.

    The tokens are read, or made, before anything is read from the database.

    Raises:
        RedisGone
    """
    owner = urandom(TOKEN_BYTES)
    keys = [question.lock, question.key, *question.tokens]
    arguments = [
        owner,
        int(LOCK.total_seconds() * 1000),
        urandom(TOKEN_BYTES),
        int(TOKEN_LIFETIME.total_seconds()),
    ]
    found = _run(TAKE, keys, arguments)
    return Lease(question, owner, found[1:], found[0]) if found else None


def count(question: Question, outcome: str) -> None:
    """Count what became of a question."""
    _counter(question.view, outcome).inc()


def outcome_of(entry: Entry) -> str:
    """Return how an entry from Redis counts: hit, stale or negative."""
    if time.time() >= entry.fresh_until:
        return "stale"
    return "hit" if entry.status == OK else "negative"


def answer(question: Question, make: Callable[[], Made], lease: Lease | None = None) -> Entry:
    """Return the entry, from Redis or made.

    Args:
        make: asks the database; what it raises is raised, and kept nowhere.
        lease: the right to make it, if the caller has it already.
    """
    try:
        found = lease or _wait(question)
    except RedisGone:
        count(question, "bypass")
        return _made(question, make)
    if isinstance(found, Entry):
        return found
    count(question, "miss")
    if found is None:
        return _made(question, make)
    try:
        entry = _made(question, make)
    except BaseException:
        found.release()
        raise
    found.keep(entry)
    return entry


def _wait(question: Question) -> Entry | Lease | None:
    """Return the entry, or the right to make it; None when patience ends."""
    waited = False
    for pause in _pauses():
        entry = look_up(question)
        if entry is None or outcome_of(entry) == "stale":
            lease = take(question)
            if lease and (lease.entry is None or outcome_of(lease.entry) == "stale"):
                return lease
            if lease:  # somebody has made it between the two questions
                lease.release()
            entry = lease.entry if lease else entry
        if entry:
            count(question, "waited" if waited else outcome_of(entry))
            if waited:
                WAITS.labels(question.view, "answered").inc()
            return entry
        waited = True
        time.sleep(pause)
    WAITS.labels(question.view, "took_over").inc()
    return None


def _pauses() -> Iterator[float]:
    pause, longest = PAUSES
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield pause
        pause = min(pause * 1.5, longest)


def _made(question: Question, make: Callable[[], Made]) -> Entry:
    MADE.labels(question.view).inc()
    made = make()
    fresh = settings.CACHE_FRESH if made.status == OK else settings.CACHE_NEGATIVE
    return Entry.of(made.status, made.body, fresh_until=time.time() + fresh.total_seconds())


@lru_cache(maxsize=100)
def _counter(view: str, outcome: str) -> Counter:
    return REQUESTS.labels(view, outcome)


@lru_cache
def _digest_of(script: str) -> Any:
    return client().register_script(script)


def _run(script: str, keys: list[str], arguments: list[Any]) -> Any:
    return breaker.call(PART, _digest_of(script), keys, arguments, client())
