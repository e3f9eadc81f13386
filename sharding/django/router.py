"""Which database alias a statement goes to."""

from typing import Any

from django.conf import settings

# The alias that reaches the coordinator directly, past the pooler, as the tables' owner.
COORDINATOR = "coordinator"


class ShardRouter:
    """Sends DDL straight to the coordinator; Citus carries it to the other nodes."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if COORDINATOR not in settings.DATABASES:
            return None
        return db == COORDINATOR
