from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """What is for sale, in full on every node."""

    name = "shop.catalog"
    label = "catalog"
