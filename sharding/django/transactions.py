"""Transactions that know their node, and statements that follow them.

Invariant: as long as a transaction of ours is open, everything that the shop reads and writes goes
to the node that it was opened on. A cluster's node can reach every row, so this costs hops at most;
a statement beside its transaction would see other data and stay when the transaction is undone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import (
    DEFAULT_DB_ALIAS,
    InternalError,
    ProgrammingError,
    connections,
    transaction,
)
from django.db.models import Model

from sharding.django import node_aliases, routing
from sharding.django.failures import NodeHasLeft, has_left

_pinned: ContextVar[str | None] = ContextVar("pinned", default=None)


@contextmanager
def atomic(
    model: type[Model] | None = None,
    key: object = None,
    *,
    using: str | None = None,
    savepoint: bool = True,
) -> Iterator[None]:
    """Open a transaction, or a savepoint in the one that is open.

    Args:
        model, key: a distributed model and the shard key whose rows are going to be written; the
            transaction is opened on the node that holds them. Without a key, on the coordinator.
        using: the alias, for commands that have to choose it themselves.
        savepoint: False lets an error inside undo the whole transaction.
    """
    alias = using or open_alias() or DEFAULT_DB_ALIAS
    if using is None and model is not None:
        alias = alias_for(model, key)
    try:
        with transaction.atomic(using=alias, savepoint=savepoint):
            # Unpinned again before the commit: what runs on commit is no part of the transaction.
            token = _pinned.set(alias)
            try:
                yield
            finally:
                _pinned.reset(token)
    except (InternalError, ProgrammingError) as error:
        if node_aliases.is_node(alias) and has_left(error):
            routing.skip(alias)
            raise NodeHasLeft(str(error)) from error
        raise


def on_commit(
    work: Callable[[], object], *, using: str | None = None, robust: bool = False
) -> None:
    """Run something when the open transaction has committed; at once if none is open.

    Args:
        using: the alias whose transaction it is, where a signal names it.
        robust: log what `work` raises, and go on.
    """
    transaction.on_commit(work, using=using or open_alias(), robust=robust)


def open_alias() -> str | None:
    """Return the alias of the transaction that is open here; None if there is none.

    A transaction that others opened on `default` (the admin, a TestCase) counts as well.
    """
    pinned = _pinned.get()
    # A context copied into another thread names a transaction that is not that thread's.
    if pinned is not None and connections[pinned].in_atomic_block:
        return pinned
    return DEFAULT_DB_ALIAS if connections[DEFAULT_DB_ALIAS].in_atomic_block else None


def alias_for(model: type[Model], key: object) -> str:
    """Return the alias for a statement on the rows of one shard key."""
    return open_alias() or routing.alias_for(model, key)


def cursor_for(model: type[Model], key: object) -> Any:
    """Return a cursor for SQL of one's own on the rows of one shard key."""
    return connections[alias_for(model, key)].cursor()
