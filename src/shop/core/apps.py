from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What every other app stands on: errors, paging, idempotency, the outbox."""

    name = "shop.core"
    label = "core"

    def ready(self) -> None:
        from django.conf import settings

        from shop.core import observed_tasks  # noqa: F401 - connects to Celery's signals

        if settings.TRACING_ENDPOINT:
            from shop.core import tracing

            tracing.start()
