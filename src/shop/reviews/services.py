"""Writing reviews."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from sharding.django.transactions import atomic
from shop.accounts.models import User
from shop.accounts.selectors import locked_user
from shop.catalog.selectors import product_for_sale
from shop.core.db import retried
from shop.core.errors import AccountClosed, DomainError, NotFound
from shop.reviews.errors import AlreadyReviewed
from shop.reviews.models import Review
from shop.reviews.selectors import has_bought, reviews_of

NAMELESS = "A customer"


@retried
def write_review(*, user_id: UUID, product_id: int, rating: int, comment: str = "") -> Review:
    """Write a user's review of a product.

    What it says of its author comes from the author's shard and is stored with it, so that a list
    of reviews asks the product's shard alone: their first name, and whether they bought it. The
    account stands until the review does: whoever deletes it meanwhile deletes the review as well.

    Args:
        rating: 1 to 5 stars.

    Raises:
        NotFound: there is no such product for sale.
        AccountClosed: the user is gone.
        AlreadyReviewed: there is a review of this product by this user.
    """
    product = product_for_sale(product_id)
    try:
        with atomic(User, user_id):
            author = locked_user(user_id)
            if author is None:
                raise AccountClosed
            return Review.objects.create(
                product=product,
                user_id=user_id,
                author_name=author.first_name or NAMELESS,
                rating=rating,
                comment=comment,
                verified_purchase=has_bought(user_id, product_id),
            )
    except IntegrityError as error:
        raise _translated(error) from error


@retried
def change_review(review: Review, changes: Mapping[str, Any]) -> Review:
    """Change a review's rating or comment, and return it.

    Raises:
        NotFound: it was deleted meanwhile.
    """
    changes = {**changes, "updated_at": timezone.now()}
    if not reviews_of(review.product_id).filter(id=review.id).update(**changes):
        raise NotFound("There is no such review.")
    for name, value in changes.items():
        setattr(review, name, value)
    return review


@retried
def remove_review(review: Review) -> None:
    """Delete a review; one that is gone already stays so."""
    reviews_of(review.product_id).filter(id=review.id).delete()


def _translated(error: IntegrityError) -> DomainError:
    if "review_per_user" in str(error):
        return AlreadyReviewed("You have reviewed this product already; you can change that.")
    return NotFound("There is no such product.")
