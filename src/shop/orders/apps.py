from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """What users have bought."""

    name = "shop.orders"
    label = "orders"
