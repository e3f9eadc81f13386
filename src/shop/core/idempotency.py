"""Requests that may be sent again: the second time, the first answer comes back.

Invariant: a key's answer is stored in the transaction of its effect, on the user's shard, so that
either both exist or neither. Two guards keep the effect single: an advisory lock, taken on the
node that holds the user's shard, turns a simultaneous retry away at once; the key's uniqueness
holds even where the lock does not (while a shard moves to another node).

The statement that takes the lock sees what was committed before it began. A retry can thus have the
lock of a first request that ended in between, and not see its answer; what it finds then (an empty
cart, say) is the first one's doing. Whoever fails therefore looks once more before saying so.

A key is kept for settings.IDEMPOTENCY_KEY_LIFETIME. After that it is free again, whether or not
`manage.py purge_expired` has come by.
"""

import json
from collections.abc import Callable
from hashlib import blake2b, sha256
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.utils.encoders import JSONEncoder

from sharding.django.transactions import atomic, cursor_for
from shop.core.errors import AccountClosed, Conflict, DomainError
from shop.core.models import IdempotencyKey

MAX_KEY_LENGTH = 255

# One statement: the account is live, nobody else works on this key, and what was answered before.
CLAIM = """
SELECT pg_try_advisory_xact_lock(%s), stored.fingerprint, stored.status, stored.body,
    stored.location
FROM {users} owner LEFT JOIN {keys} stored
    ON stored.user_id = owner.id AND stored.key = %s AND stored.created_at > %s
WHERE owner.id = %s AND owner.is_active
"""

# Takes the place of an expired answer; of one that still counts, never: no row is written then.
STORE = """
INSERT INTO {keys} AS stored (user_id, key, fingerprint, status, body, location, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (user_id, key) DO UPDATE
SET fingerprint = EXCLUDED.fingerprint, status = EXCLUDED.status, body = EXCLUDED.body,
    location = EXCLUDED.location, created_at = EXCLUDED.created_at
WHERE stored.created_at <= %s
"""


class Answer(NamedTuple):
    """What the client is told: a status, a JSON body, where what was made is found."""

    status: int
    body: Any
    location: str = ""
    replayed: bool = False


class KeyMissing(DomainError):
    """The request needs an Idempotency-Key header."""

    code = "idempotency_key_missing"


class InProgress(Conflict):
    """The first request with this key is still being worked on."""

    code = "in_progress"
    headers = {"Retry-After": "1"}


class KeyReused(DomainError):
    """The key came before with another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency_key_reused"


class _StoredMeanwhile(InProgress):
    """Another node's transaction stored an answer for the same key first."""

    def __init__(self) -> None:
        super().__init__("This request is being worked on.")


# What `work` may find that an earlier request with the same key has brought about.
REFUSALS = (DomainError, APIException, IntegrityError)


def key_from(header: str | None) -> str:
    """Return the key that this header holds, or raise KeyMissing."""
    key = (header or "").strip()
    if not key or len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise KeyMissing(
            f"Send an Idempotency-Key header of 1 to {MAX_KEY_LENGTH} printable characters, "
            "and the same one when you try again."
        )
    return key


def fingerprint_of(*parts: Any) -> str:
    """Return a digest of a request: equal requests have equal ones."""
    canonical = json.dumps(parts, sort_keys=True, cls=JSONEncoder)
    return sha256(canonical.encode()).hexdigest()


def run_once(*, user_id: UUID, key: str, fingerprint: str, work: Callable[[], Answer]) -> Answer:
    """Run `work` in a transaction and store its answer, or return the answer stored before.

    What `work` raises is not stored: the transaction is rolled back and the key stays free. It is
    raised only if no other request with this key has stored an answer meanwhile.

    Raises:
        InProgress: another request with this key has not ended yet.
        KeyReused: the stored answer belongs to another request.
        AccountClosed: there is no active account with this id.
    """
    try:
        with atomic(IdempotencyKey, user_id):
            if stored := _claim(user_id, key, fingerprint):
                return stored
            answer = work()
            _store(user_id, key, fingerprint, answer)
            return answer
    except REFUSALS:
        with atomic(IdempotencyKey, user_id):
            if stored := _claim(user_id, key, fingerprint):
                return stored
        raise


def _claim(user_id: UUID, key: str, fingerprint: str) -> Answer | None:
    """Take the key's lock; return the answer that it already has."""
    users, keys = get_user_model()._meta.db_table, IdempotencyKey._meta.db_table
    oldest = timezone.now() - settings.IDEMPOTENCY_KEY_LIFETIME
    with cursor_for(IdempotencyKey, user_id) as cursor:
        cursor.execute(
            CLAIM.format(users=users, keys=keys), [_lock_number(user_id, key), key, oldest, user_id]
        )
        row = cursor.fetchone()
    if row is None:
        raise AccountClosed
    locked, stored_fingerprint, status, body, location = row
    if stored_fingerprint is None and not locked:
        raise InProgress("The first request with this key is still being worked on.")
    if stored_fingerprint is None:
        return None
    if stored_fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    return Answer(status, json.loads(body), location, replayed=True)


def _store(user_id: UUID, key: str, fingerprint: str, answer: Answer) -> None:
    now = timezone.now()
    body = json.dumps(answer.body, cls=JSONEncoder)
    oldest = now - settings.IDEMPOTENCY_KEY_LIFETIME
    row = (user_id, key, fingerprint, answer.status, body, answer.location, now, oldest)
    with cursor_for(IdempotencyKey, user_id) as cursor:
        sql = STORE.format(keys=IdempotencyKey._meta.db_table)
        cursor.execute(sql, row)
        if cursor.rowcount == 0:
            raise _StoredMeanwhile


def _lock_number(user_id: UUID, key: str) -> int:
    """Return a signed 64-bit number for the pair, as advisory locks take it."""
    digest = blake2b(user_id.bytes + key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True, byteorder="big")
