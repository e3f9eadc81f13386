from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    """Turning a cart into an order: the one use case that crosses the apps."""

    name = "shop.checkout"
    label = "checkout"
