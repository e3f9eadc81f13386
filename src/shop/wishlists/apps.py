from django.apps import AppConfig


class WishlistsConfig(AppConfig):
    """What users would like to have some day."""

    name = "shop.wishlists"
    label = "wishlists"
