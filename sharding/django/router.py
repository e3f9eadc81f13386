"""Which database alias a statement goes to that names no shard key."""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from sharding.django.placement import Local, placement_of
from sharding.django.routing import is_skipped
from sharding.django.transactions import open_alias

# The alias that reaches the coordinator directly, past the pooler, as the tables' owner.
COORDINATOR = "coordinator"


class ShardRouter:
    """Keeps statements in the open transaction, and DDL on the coordinator.

    Outside a transaction a row is written where it was read (Django's own rule), and all else goes
    to `default`.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return self._alias(model, hints.get("instance"))

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return self._alias(model, hints.get("instance"))

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """All aliases lead to one database."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Send DDL straight to the coordinator; Citus carries it to the other nodes."""
        if COORDINATOR not in settings.DATABASES:
            return None
        return db == COORDINATOR

    def _alias(self, model: type[Model], instance: Model | None) -> str | None:
        if isinstance(placement_of(model), Local):  # its table is on no other node
            return DEFAULT_DB_ALIAS
        alias = open_alias()
        if alias is None and instance is not None and is_skipped(instance._state.db):
            return DEFAULT_DB_ALIAS  # it was read on a node that has failed since
        return alias
