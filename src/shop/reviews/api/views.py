"""Reviews, and the rating that they give a product."""

from typing import cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics, mixins
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from shop.catalog.api.views import ProductView, seen_by
from shop.catalog.models import Product
from shop.core.api import StrictBodies, caller_id, created, validated
from shop.reviews import selectors, services
from shop.reviews.api.pagination import ReviewPagination
from shop.reviews.api.permissions import AuthorOrStaff
from shop.reviews.api.serializers import RatedProductSerializer, ReviewSerializer
from shop.reviews.models import Review


class RatedProductView(ProductView):
    """One product with its rating; staff change it, with If-Match only what they have seen."""

    serializer_class = RatedProductSerializer

    def get_object(self) -> Product:
        return selectors.rated_product_of(self.kwargs["product_id"], among=seen_by(self.request))


class ReviewListView(generics.ListAPIView[Review]):
    """The reviews of a product, the newest first; users add theirs."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    serializer_class = ReviewSerializer
    pagination_class = ReviewPagination

    def get_queryset(self) -> QuerySet[Review]:
        return selectors.reviews_of(self.kwargs["product_id"])

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)  # a UUIDv7 begins with its time

    def get_summary(self) -> selectors.Rating:
        return selectors.rating_of(self.kwargs["product_id"], among=seen_by(self.request))

    def post(self, request: Request, product_id: int) -> Response:
        wanted = validated(ReviewSerializer, request.data)
        review = services.write_review(user_id=caller_id(request), product_id=product_id, **wanted)
        location = f"/api/reviews/{product_id}/{review.id}/"
        return created(ReviewSerializer(review).data, location)


class ReviewView(StrictBodies, mixins.UpdateModelMixin, generics.RetrieveDestroyAPIView[Review]):
    """One review; its author and staff change it."""

    permission_classes = [AuthorOrStaff]
    serializer_class = ReviewSerializer

    def get_object(self) -> Review:
        review = selectors.review_of(self.kwargs["product_id"], self.kwargs["review_id"])
        self.check_object_permissions(self.request, review)
        return review

    def patch(self, request: Request, product_id: int, review_id: UUID) -> Response:
        return self.partial_update(request)

    def perform_update(self, serializer: BaseSerializer[Review]) -> None:
        review = cast("Review", serializer.instance)
        serializer.instance = services.change_review(review, serializer.validated_data)

    def perform_destroy(self, instance: Review) -> None:
        services.remove_review(instance)
