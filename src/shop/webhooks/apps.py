from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Telling merchants' own systems what became of orders."""

    name = "shop.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from shop.core.outbox import subscribe
        from shop.webhooks import tasks
        from shop.webhooks.models import TOPICS

        for topic in TOPICS:
            subscribe(topic, tasks.record_deliveries)
