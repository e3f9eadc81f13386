from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """What may be sold, and the ledger of how it came to be."""

    name = "shop.inventory"
    label = "inventory"
