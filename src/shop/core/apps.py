from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What every other app stands on: errors, paging, idempotency, the outbox."""

    name = "shop.core"
    label = "core"
