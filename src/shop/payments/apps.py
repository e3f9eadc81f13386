from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """What is owed for orders."""

    name = "shop.payments"
    label = "payments"
