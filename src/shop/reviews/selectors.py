"""Reading reviews, each product's on its own shard."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject

from sharding.django.transactions import alias_for
from shop.catalog import selectors as catalog
from shop.catalog.models import Product
from shop.core.errors import NotFound
from shop.core.fields import BIGINT_MAX
from shop.orders.models import Order, OrderItem
from shop.reviews.models import Review

BOUGHT = (Order.Status.PAID, Order.Status.SHIPPED, Order.Status.DELIVERED)


@dataclass(frozen=True)
class Rating:
    """What the reviews of one product come to; no average without any."""

    average: Decimal | None
    count: int

    @classmethod
    def of(cls, *, total: int, count: int) -> "Rating":
        """Return the rating of so many reviews with this sum of stars."""
        average = (Decimal(total) / count).quantize(Decimal("0.01")) if count else None
        return cls(average, count)


def rated_product_of(product_id: int, *, among: QuerySet[Product] | None = None) -> Product:
    """Return a product with its category and its `rating`, or raise NotFound.

    One query, sent to the product's shard: catalog tables are there as well.

    Args:
        among: what to look in, instead of all that is for sale.
    """
    tally = (
        Review.objects.for_product(product_id)
        .values("product_id")
        .values(tally=JSONObject(total=Sum("rating"), count=Count("*")))
    )
    found = catalog.for_sale() if among is None else among
    rated = found.annotate(tally=Subquery(tally))
    rated = rated.using(alias_for(Review, product_id))
    product = catalog.product_of(product_id, among=rated)
    sums = product.tally or {"total": 0, "count": 0}  # type: ignore[attr-defined]
    product.rating = Rating.of(**sums)  # type: ignore[attr-defined]
    return product


def rating_of(product_id: int, *, among: QuerySet[Product] | None = None) -> Rating:
    """Return the rating of a product, or raise NotFound; as `rated_product_of` does."""
    rating: Rating = rated_product_of(product_id, among=among).rating  # type: ignore[attr-defined]
    return rating


def reviews_of(product_id: int) -> QuerySet[Review]:
    """Return the reviews of a product."""
    reviews: QuerySet[Review] = Review.objects.for_product(product_id)
    return reviews


def review_of(product_id: int, review_id: UUID) -> Review:
    """Return one review of a product, or raise NotFound."""
    found = reviews_of(product_id).filter(id=review_id)
    # A foreign key, unlike a number, is compared without a look at what its column can hold.
    review = found.first() if product_id <= BIGINT_MAX else None
    if review is None:
        raise NotFound("There is no such review.")
    return review


def has_bought(user_id: UUID, product_id: int) -> bool:
    """Tell whether one of the user's orders that was paid, and not given back, has the product."""
    lines = OrderItem.objects.for_user(user_id).filter(product_id=product_id)
    return bool(lines.filter(order__order_status__in=BOUGHT).exists())
