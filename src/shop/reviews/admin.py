"""The staff page of reviews: the newest of all products, looked at and taken down."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from shop.catalog import selectors as catalog
from shop.core.admin.desk import Acting, Action, Column, Desk, Rows, register
from shop.core.fields import BIGINT_MAX
from shop.reviews.models import Review
from shop.reviews.selectors import review_of, reviews_of
from shop.reviews.services import remove_review


def _remove(review: Review, acting: Acting) -> str:
    remove_review(review)
    return f"Removed the review of product {review.product_id} by {review.author_name}."


class ReviewDesk(Desk):
    """Reviews of all products."""

    model = Review
    plural = "Reviews"
    search_help = "A product's id or slug: its reviews, from its shard."
    choices = (("all", "All"), *((str(n), f"{n} of 5") for n in range(1, 6)))
    columns = (
        Column("Review", lambda review: " ".join(review.comment.split())[:80] or "(no words)"),
        Column("Stars", lambda review: review.rating),
        Column("Product", lambda review: review.product_id),
        Column("By", lambda review: review.author_name),
        Column("Bought", lambda review: "yes" if review.verified_purchase else "no"),
        Column("Written", lambda review: review.created_at),
    )
    actions = (
        Action(
            "remove",
            "Remove the review",
            _remove,
            says="It is deleted for good, and the product's rating without it.",
        ),
    )
    template = "admin/reviews/review.html"

    def find(self, term: str) -> Rows:
        if term.isascii() and term.isdecimal() and int(term) <= BIGINT_MAX:
            return reviews_of(int(term))
        product = catalog.with_category().filter(slug=term).first()
        return reviews_of(product.id) if product else []

    def chosen(self, choice: str) -> Rows:
        reviews: QuerySet[Review] = Review.objects.cross_shard()
        return reviews if choice == "all" else reviews.filter(rating=int(choice))

    def keys(self, row: Review) -> tuple[int, UUID]:
        return row.product_id, row.id

    def row(self, shard_key: str, row_id: UUID) -> Review:
        return review_of(int(shard_key), row_id)

    def context(self, row: Review) -> dict[str, Any]:
        return {"product": catalog.product_of(row.product_id)}


register(ReviewDesk())
