from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """What buyers say of products."""

    name = "shop.reviews"
    label = "reviews"
