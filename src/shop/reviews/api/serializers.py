"""The shapes of the review endpoints, and of a product with its rating."""

from rest_framework import serializers

from shop.catalog.api.serializers import ProductSerializer
from shop.reviews.models import Review

MAX_COMMENT = 5_000  # characters


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A review. Its author is shown by first name; their id is nobody's business."""

    rating = serializers.IntegerField(min_value=1, max_value=5)
    comment = serializers.CharField(max_length=MAX_COMMENT, allow_blank=True, required=False)

    class Meta:
        model = Review
        fields = [
            "id",
            "product_id",
            "author_name",
            "rating",
            "comment",
            "verified_purchase",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["author_name", "verified_purchase"]


class RatingSerializer(serializers.Serializer[object]):
    """What the reviews of a product come to."""

    average = serializers.DecimalField(
        max_digits=3, decimal_places=2, read_only=True, allow_null=True
    )
    count = serializers.IntegerField(read_only=True)


class RatedProductSerializer(ProductSerializer):
    """A product with its rating, which the lists of products do not carry."""

    rating_average = serializers.DecimalField(
        source="rating.average", max_digits=3, decimal_places=2, read_only=True, allow_null=True
    )
    rating_count = serializers.IntegerField(source="rating.count", read_only=True)

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "rating_average", "rating_count"]
