from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    """Turning a cart into an order: the one use case that crosses the apps."""

    name = "shop.checkout"
    label = "checkout"

    def ready(self) -> None:
        from shop.checkout import tasks
        from shop.core.outbox import subscribe

        subscribe("order.placed", tasks.charge_order)
        subscribe("payment.due", tasks.charge_payment)
        subscribe("payment.given_up", tasks.charge_payment)
        subscribe("payment.refund_due", tasks.refund_payment)
