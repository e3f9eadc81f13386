from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, the names they claim, and their refresh tokens."""

    name = "shop.accounts"
    label = "accounts"
