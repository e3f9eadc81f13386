from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Handing out all that is known of a user, and forgetting it."""

    name = "shop.privacy"
    label = "privacy"
