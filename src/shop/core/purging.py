"""Removing rows that have had their time, in batches.

A model of users' rows takes part by having a static method ``expired(now) -> Q``.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model

from sharding.django.reachable import reachable


def perishable() -> list[type[Model]]:
    """Return the models whose rows expire."""
    return [model for model in apps.get_models() if hasattr(model, "expired")]


def count_expired(model: Any, *, now: datetime) -> int:
    """Count the rows whose time is over. Asks every shard."""
    found: int = model.objects.cross_shard().filter(model.expired(now)).count()
    return found


def purge(model: Any, *, now: datetime, batch_size: int) -> Iterator[int]:
    """Delete the rows whose time is over; yield how many each batch removed.

    Finding them asks every shard of the nodes that answer. Removing them asks one at a time: each
    user's rows go in a transaction of their own, without two-phase commit, and no lock is held for
    long. What was renewed since it was found (a cart that is filled again) stays: the DELETE asks
    anew.
    """
    expired = model.objects.cross_shard().filter(model.expired(now))
    rows = expired.values_list("user_id", "pk")[:batch_size]
    while found := reachable(rows.all()):
        by_user = defaultdict(list)
        for user_id, key in found:
            by_user[user_id].append(key)
        removed = sum(_remove(model, now, user_id, keys) for user_id, keys in by_user.items())
        yield removed
        if not removed:
            return


def _remove(model: Any, now: datetime, user_id: UUID, keys: list[Any]) -> int:
    mine = model.objects.for_key(user_id).filter(model.expired(now), pk__in=keys)
    removed: int = mine.delete()[0]
    return removed
