"""The staff page of the stock: listed by the catalog, looked at and moved on one shard."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from shop.catalog.admin import ProductSearch
from shop.core.admin.desk import register
from shop.core.admin.numbers import PlainInteger
from shop.inventory import services
from shop.inventory.import_page import ImportPage
from shop.inventory.models import Shelf, StockMovement
from shop.inventory.selectors import available, movements_of

MAX_UNITS = 1_000_000_000
LINES = 50  # of the ledger, the newest


class MovementForm(forms.ModelForm):  # type: ignore[type-arg]
    """Units that came in or went out, and why."""

    delta = PlainInteger(
        min_value=-MAX_UNITS,
        max_value=MAX_UNITS,
        help_text="Units to add; below 0 to take off.",
    )
    reason = forms.ChoiceField(
        choices=[
            (reason.value, reason.label)
            for reason in (StockMovement.Reason.RECEIPT, StockMovement.Reason.ADJUSTMENT)
        ]
    )

    def clean_delta(self) -> int:
        delta: int = self.cleaned_data["delta"]
        if delta == 0:
            raise forms.ValidationError("A movement of 0 units is none.", "zero")
        left = available(self.instance.pk)
        if left + delta < 0:
            raise forms.ValidationError(f"Only {left} units are there.", "insufficient_stock")
        return delta


@admin.register(Shelf)
class ShelfPage(ProductSearch):
    """Stock by product: the list shows the published figures, a product's page the real ones."""

    form = MovementForm
    list_display = ["name", "stock_quantity", "track_inventory", "status", "updated_at"]
    fields = ["name", "available", "track_inventory", "delta", "reason", "ledger"]
    readonly_fields = ["name", "available", "track_inventory", "ledger"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say no: a shelf begins with its first movement."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no: what was received and sold is never forgotten."""
        return False

    def save_model(self, request: HttpRequest, obj: Shelf, form: Any, change: bool) -> None:
        """Move the stock and write the line of the ledger, both or neither."""
        services.adjust(
            product_id=obj.pk,
            delta=form.cleaned_data["delta"],
            reason=form.cleaned_data["reason"],
        )

    @admin.display(description="available now")
    def available(self, shelf: Shelf) -> int:
        """Return the units that may be sold right now; asks the product's shard."""
        return available(shelf.pk)

    @admin.display(description=f"ledger, last {LINES} lines")
    def ledger(self, shelf: Shelf) -> SafeString:
        """Return the newest movements as a table; asks the product's shard."""
        lines = movements_of(shelf.pk)[:LINES]
        return render_to_string("admin/inventory/shelf/ledger.html", {"lines": lines})


register(ImportPage())
