"""Categories and products."""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from shop.catalog import selectors, services
from shop.catalog.api.caching import CachedAnswers
from shop.catalog.api.serializers import (
    CategoryFilterSerializer,
    CategorySerializer,
    FilterSerializer,
    ProductSerializer,
)
from shop.catalog.models import Category, Product
from shop.core.api import StrictBodies, parameters
from shop.core.conditional import Check, matching
from shop.core.permissions import ReadOnlyOrCatalogWriter, has_role
from shop.core.roles import CATALOG_WRITERS
from shop.core.strictness import given


def seen_by(request: Request) -> QuerySet[Product]:
    """Return the products that the caller sees: keepers of the catalog all."""
    keeper = has_role(request, CATALOG_WRITERS)
    return selectors.with_category() if keeper else selectors.for_sale()


class CategoryListView(CachedAnswers, StrictBodies, generics.ListCreateAPIView[Category]):
    """The category tree, flat; staff add to it."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = CategorySerializer

    def get_queryset(self) -> QuerySet[Category]:
        filters = parameters(CategoryFilterSerializer, self.request.query_params.dict())
        return selectors.categories(**filters)

    def get_ordering(self) -> tuple[str, ...]:
        return ("id",)

    def perform_create(self, serializer: BaseSerializer[Category]) -> None:
        serializer.instance = services.create_category(**serializer.validated_data)

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": f"{self.request.path}{data['id']}/"}


class CategoryView(CachedAnswers, StrictBodies, generics.RetrieveUpdateDestroyAPIView[Category]):
    """One category; staff rename and move it."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = CategorySerializer

    def get_object(self) -> Category:
        return selectors.category_of(self.kwargs["category_id"])

    def perform_update(self, serializer: BaseSerializer[Category]) -> None:
        # A PUT says all: what it leaves out is what a POST would make of it.
        left_out = {} if serializer.partial else {"parent": None}
        services.update_category(self.kwargs["category_id"], left_out | serializer.validated_data)
        serializer.instance = self.get_object()

    def perform_destroy(self, instance: Category) -> None:
        services.delete_category(instance.id)


class ProductListView(CachedAnswers, StrictBodies, generics.ListCreateAPIView[Product]):
    """Products by filter and in order; staff add to them."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = ProductSerializer

    def get_queryset(self) -> QuerySet[Product]:
        filters = parameters(FilterSerializer, self.request.query_params.dict())
        return selectors.products(cast("selectors.Filters", filters), among=seen_by(self.request))

    def get_ordering(self) -> tuple[str, ...]:
        params = given(self.request.query_params.dict())
        default = selectors.default_ordering(params.get("search"))
        name = params.get("ordering", default)
        if name not in (default, *selectors.ORDERINGS):
            choices = ", ".join(selectors.ORDERINGS)
            raise ValidationError({"ordering": [f"One of {choices} is needed."]})
        return (name, "-id" if name.startswith("-") else "id")

    def perform_create(self, serializer: BaseSerializer[Product]) -> None:
        serializer.instance = services.create_product(**serializer.validated_data)

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": f"{self.request.path}{data['id']}/"}


class ProductView(CachedAnswers, StrictBodies, generics.RetrieveUpdateDestroyAPIView[Product]):
    """One product; staff change it, with If-Match only what they have seen."""

    if_match = ("PUT", "PATCH", "DELETE")

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = ProductSerializer

    def get_object(self) -> Product:
        return selectors.product_of(self.kwargs["product_id"], among=seen_by(self.request))

    def perform_update(self, serializer: BaseSerializer[Product]) -> None:
        # A PUT says all but slug, status and tracking: a product's address, and whether it is for
        # sale, do not change by being left out.
        left_out = {} if serializer.partial else {"description": ""}
        services.update_product(
            self.kwargs["product_id"], left_out | serializer.validated_data, check=self._check()
        )
        serializer.instance = self.get_object()

    def perform_destroy(self, instance: Product) -> None:
        services.delete_product(instance.id, check=self._check())

    def _check(self) -> Check:
        return matching(self.request, lambda: self.get_serializer(self.get_object()).data)
