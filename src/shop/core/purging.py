"""Removing rows that have had their time, in batches.

A model takes part by having a static method ``expired(now) -> Q``.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model


def perishable() -> list[type[Model]]:
    """Return the models whose rows expire."""
    return [model for model in apps.get_models() if hasattr(model, "expired")]


def count_expired(model: Any, *, now: datetime) -> int:
    """Count the rows whose time is over. Asks every shard."""
    found: int = model.objects.cross_shard().filter(model.expired(now)).count()
    return found


def purge(model: Any, *, now: datetime, batch_size: int) -> Iterator[int]:
    """Delete the rows whose time is over; yield how many each batch removed. Asks every shard.

    Each batch is a transaction of its own, so that no lock is held for long. What was renewed
    since its key was read (an idempotency key that is used again) stays: the DELETE asks anew.
    """
    expired = model.objects.cross_shard().filter(model.expired(now))
    while keys := list(expired.values_list("pk", flat=True)[:batch_size]):
        removed, _ = expired.filter(pk__in=keys).delete()
        yield removed
