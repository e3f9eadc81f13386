from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """What may be sold, and the ledger of how it came to be."""

    name = "shop.inventory"
    label = "inventory"

    def ready(self) -> None:
        from shop.inventory import tasks  # noqa: F401 - the staff pages send one by its name
