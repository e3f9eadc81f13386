"""The review endpoints, and the rated product, as API clients read them."""

from dataclasses import replace

from shop.catalog.api.schema import OPERATIONS as CATALOG_OPERATIONS
from shop.catalog.api.schema import PRODUCT
from shop.core.errors import NotFound
from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of
from shop.core.openapi.problems import WRONG_ROLE
from shop.reviews.api.serializers import RatedProductSerializer, ReviewSerializer
from shop.reviews.errors import AlreadyReviewed

REVIEWS = "Reviews"
TAGS = {
    REVIEWS: "What users say of products: one review each. `verified_purchase` tells whether the "
    "author has bought the product here. Everybody may read."
}

REVIEW = {
    "id": UUID_EXAMPLE,
    "product_id": 17,
    "author_name": "Ana",
    "rating": 5,
    "comment": "Read it by the sea.",
    "verified_purchase": True,
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
RATED_PRODUCT = {**PRODUCT, "rating_average": "4.50", "rating_count": 2}
SUMMARY = {"summary": {"average": "5.00", "count": 1}}


def _rated(method: str) -> Operation:
    plain = CATALOG_OPERATIONS[f"ProductView.{method}"]
    return replace(plain, returns=RatedProductSerializer, example=RATED_PRODUCT)


OPERATIONS = {
    "RatedProductView.get": _rated("get"),
    "RatedProductView.put": _rated("put"),
    "RatedProductView.patch": _rated("patch"),
    "ReviewListView.get": Operation(
        id="reviews_list",
        tag=REVIEWS,
        summary="List the reviews of a product, the newest first",
        description="`summary` is what all of them come to, whichever page this is.",
        returns=ReviewSerializer,
        example={**SUMMARY, **page_of(REVIEW, "/api/products/17/reviews/")},
        paged=True,
    ),
    "ReviewListView.post": Operation(
        id="reviews_write",
        tag=REVIEWS,
        summary="Review a product",
        description="One for each user and product. Whoever bought it here is marked so.",
        body=ReviewSerializer,
        sends={"rating": 5, "comment": "Read it by the sea."},
        returns=ReviewSerializer,
        example=REVIEW,
        status=201,
        errors=(AlreadyReviewed, NotFound),
        located=True,
    ),
    "ReviewView.get": Operation(
        id="reviews_read",
        tag=REVIEWS,
        summary="Read a review",
        description="By its product and its own id.",
        returns=ReviewSerializer,
        example=REVIEW,
    ),
    "ReviewView.patch": Operation(
        id="reviews_update",
        tag=REVIEWS,
        summary="Change a review",
        description="For its author, `support` and `admin`.",
        body=ReviewSerializer,
        sends={"rating": 4},
        returns=ReviewSerializer,
        example={**REVIEW, "rating": 4},
        errors=(WRONG_ROLE,),
    ),
    "ReviewView.delete": Operation(
        id="reviews_delete",
        tag=REVIEWS,
        summary="Delete a review",
        description="For its author, `support` and `admin`.",
        status=204,
        errors=(WRONG_ROLE,),
    ),
}
