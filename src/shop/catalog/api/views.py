"""Categories and products."""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

from shop.catalog import selectors, services
from shop.catalog.api.serializers import CategorySerializer, FilterSerializer, ProductSerializer
from shop.catalog.models import Category, Product
from shop.core.api import validated
from shop.core.permissions import ReadOnlyOrCatalogWriter


class CategoryListView(generics.ListCreateAPIView[Category]):
    """The category tree, flat; staff add to it."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = CategorySerializer
    queryset = Category.objects.all()

    def get_ordering(self) -> tuple[str, ...]:
        return ("id",)

    def perform_create(self, serializer: BaseSerializer[Category]) -> None:
        serializer.instance = services.create_category(**serializer.validated_data)


class CategoryView(generics.RetrieveAPIView[Category]):
    """One category."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = CategorySerializer

    def get_object(self) -> Category:
        return selectors.category_of(self.kwargs["category_id"])


class ProductListView(generics.ListCreateAPIView[Product]):
    """Products by filter and in order; staff add to them."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = ProductSerializer

    def get_queryset(self) -> QuerySet[Product]:
        filters = validated(FilterSerializer, self.request.query_params.dict())
        return selectors.products(cast("selectors.Filters", filters))

    def get_ordering(self) -> tuple[str, ...]:
        name = self.request.query_params.get("ordering", "-created_at")
        if name not in selectors.ORDERINGS:
            choices = ", ".join(selectors.ORDERINGS)
            raise ValidationError({"ordering": [f"One of {choices} is needed."]})
        return (name, "-id" if name.startswith("-") else "id")

    def perform_create(self, serializer: BaseSerializer[Product]) -> None:
        serializer.instance = services.create_product(**serializer.validated_data)


class ProductView(generics.RetrieveAPIView[Product]):
    """One product."""

    permission_classes = [ReadOnlyOrCatalogWriter]
    serializer_class = ProductSerializer

    def get_object(self) -> Any:
        return selectors.product_of(self.kwargs["product_id"], with_category=True)
