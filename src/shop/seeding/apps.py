from django.apps import AppConfig


class SeedingConfig(AppConfig):
    """Believable data for a store that has none yet."""

    name = "shop.seeding"
    label = "seeding"
