from django.apps import AppConfig


class CartsConfig(AppConfig):
    """What users mean to buy."""

    name = "shop.carts"
    label = "carts"
