from decimal import Decimal

import pytest

from shop.catalog import shopify_cells as cells
from shop.catalog.models import Category, Product
from shop.catalog.shopify_cells import Bad


def test_the_limits_are_those_of_the_columns() -> None:
    price = Product._meta.get_field("price")
    assert Product._meta.get_field("name").max_length == cells.MAX_NAME
    assert Product._meta.get_field("handle").max_length == cells.MAX_HANDLE
    assert Product._meta.get_field("options").base_field.max_length == cells.MAX_OPTION
    assert Category._meta.get_field("name").max_length == cells.MAX_CATEGORY
    largest = Decimal(10) ** (price.max_digits - price.decimal_places) - Decimal("0.01")
    assert largest == cells.MAX_PRICE


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("12", "12.00"),
        ("12.5", "12.50"),
        ("12.500", "12.50"),
        ("0", "0.00"),
        (".99", "0.99"),
        ("9999999999.99", "9999999999.99"),
    ],
)
def test_a_price_has_two_decimals(text: str, price: str) -> None:
    assert str(cells.price_of(text)) == price


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("twelve", "no number"),
        ("1,299.00", "no number"),
        ("1e3", "no number"),
        ("NaN", "no number"),
        ("Infinity", "no number"),
        ("١٢", "no number"),  # digits, but no price
        ("-0.01", "negative"),
        ("10000000000.00", "too many digits"),
        ("9" * 5000, "too many digits"),
        ("1.999", "more than two decimals"),
    ],
)
def test_a_price_that_cannot_be_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Bad, match=reason):
        cells.price_of(text)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("", None), ("0", 0), ("0012", 12), ("12.0", 12), ("12.", 12), ("+3.00", 3)],
)
def test_a_quantity_is_a_whole_number_or_untold(text: str, quantity: int | None) -> None:
    warnings: cells.Warnings = []
    assert cells.quantity_of(text, warnings) == quantity
    assert warnings == []


@pytest.mark.parametrize("text", ["-4", "-4.0"])
def test_a_negative_quantity_is_zero_and_said_to_be(text: str) -> None:
    warnings: cells.Warnings = []
    assert cells.quantity_of(text, warnings) == 0
    assert warnings == [f"the quantity '{text}' is negative: taken for 0"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.5", "no whole number"),
        ("many", "no whole number"),
        ("1000000001", "above"),
        ("9" * 5000, "no whole number"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Bad, match=reason):
        cells.quantity_of(text, [])


def test_a_category_is_a_path() -> None:
    assert cells.category_of("Apparel & Accessories > Clothing > Shirts", "Tops") == (
        "Apparel & Accessories",
        "Clothing",
        "Shirts",
    )


def test_without_a_category_the_type_counts_and_then_nothing() -> None:
    assert cells.category_of("", "Notebooks") == ("Notebooks",)
    assert cells.category_of("", "") == cells.category_of(" > ", "x") == ("Uncategorised",)


def test_options_that_say_nothing_are_none() -> None:
    assert cells.identity_of("mug", ["Default Title", "", ""]) == ("mug", ())
    assert cells.identity_of("mug", ["M", "", ""]) == ("mug", ("M",))
    assert cells.identity_of("mug", ["", "M", ""]) == ("mug", ("", "M"))


def test_a_handle_with_options_that_no_index_can_hold_is_refused() -> None:
    with pytest.raises(Bad, match="more than 2000 bytes"):
        cells.identity_of("茶" * 255, ["茶" * 255, "茶" * 255, ""])
