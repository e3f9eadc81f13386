"""Staff pages of the catalog. Both tables are on every node: a list asks one node, no shard."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shop.catalog import search, services
from shop.catalog.models import SEARCHED, Category, Product
from shop.catalog.selectors import IN_STOCK
from shop.core.admin.base import StaffPage
from shop.core.fields import BIGINT_MAX


@admin.register(Category)
class CategoryPage(StaffPage):
    """The category tree."""

    list_display = ["name", "parent", "updated_at"]
    list_select_related = ["parent"]
    search_fields = ["name"]
    ordering = ["name", "id"]
    fields = ["name", "parent"]
    autocomplete_fields = ["parent"]

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        """Create or move through the tree, which keeps the paths of all that lies below."""
        if change:
            services.update_category(obj.pk, _changes(form))
        else:
            obj.__dict__.update(services.create_category(**form.cleaned_data).__dict__)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        """Delete a category with nothing below it."""
        services.delete_category(obj.pk)


class InStock(admin.SimpleListFilter):
    """By the published figure; the shards are not asked."""

    title = "published stock"
    parameter_name = "in_stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In stock"), ("no", "Out of stock")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(IN_STOCK if self.value() == "yes" else ~IN_STOCK)


class ProductSearch(StaffPage):
    """Lists of products, searched by the same index as the shop's own search."""

    search_fields = ["name"]  # any: it makes the search box appear
    search_help_text = "Words or parts of the name, words of the description, a slug or an id."
    list_filter = ["status", InStock]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*SEARCHED)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if search_term:
            exact = Q(slug=search_term)
            if search_term.isascii() and search_term.isdecimal():
                exact |= Q(id=min(int(search_term[:20]), BIGINT_MAX))
            queryset = queryset.filter(search.matching(search_term) | exact)
        return queryset, False


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product; its slug may be left out and is made from the name then."""

    slug = Product._meta.get_field("slug").formfield(required=False)

    def clean_slug(self) -> str:
        """Keep the slug that there is: links lead to it."""
        return str(self.cleaned_data["slug"] or self.instance.slug)


@admin.register(Product)
class ProductPage(ProductSearch):
    """What is for sale. Its stock is changed on a page of its own."""

    form = ProductForm
    list_display = [
        "name",
        "category",
        "price",
        "status",
        "stock_quantity",
        "track_inventory",
        "created_at",
    ]
    list_select_related = ["category"]
    fields = ["name", "slug", "description", "price", "category", "status", "track_inventory"]
    readonly_fields = ["shelf", "handle", "options", "created_at", "updated_at"]
    autocomplete_fields = ["category"]

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> Any:
        return [*self.fields, *(self.readonly_fields if obj else [])]

    @admin.display(description="published stock")
    def shelf(self, product: Product) -> SafeString:
        """Return the published figure, with the way to where it is changed."""
        url = reverse("admin:inventory_shelf_change", args=[product.pk])
        return format_html('<a href="{}">{}</a>', url, product.stock_quantity)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """Write the product through its services, and no figure of its stock."""
        if not change:
            obj.__dict__.update(services.create_product(**form.cleaned_data).__dict__)
        elif changes := _changes(form):
            services.update_product(obj.pk, changes)

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        """Delete a product to which nothing refers."""
        services.delete_product(obj.pk)


def _changes(form: Any) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in form.changed_data}
