from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The mails that tell customers what became of their orders."""

    name = "shop.notifications"
    label = "notifications"

    def ready(self) -> None:
        from shop.core.outbox import subscribe
        from shop.notifications import tasks

        subscribe("order.placed", tasks.confirm_order)
        subscribe("payment.failed", tasks.tell_payment_failed)
        subscribe("order.shipped", tasks.tell_shipped)
        subscribe("order.cancelled", tasks.tell_cancelled)
