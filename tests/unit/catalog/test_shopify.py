import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from shop.catalog.shopify import BadRow, Hidden, NotShopify, Variant, read

SAMPLE = Path(__file__).parents[2] / "data" / "shopify.csv"
HEADER = (
    "Handle,Title,Body (HTML),Product Category,Type,Published,Option1 Value,Option2 Value,"
    "Variant SKU,Variant Inventory Qty,Variant Price,Image Src,Status"
)
NAMES = HEADER.split(",")


def row(**cells: str) -> str:
    """Return a line of CSV; the keywords are column names, with _ for what is no letter."""
    keys = {name: name.replace(" ", "_").replace("(", "").replace(")", "") for name in NAMES}
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells.pop(keys[name], "") for name in NAMES)
    assert not cells, f"no such columns: {cells}"
    return text.getvalue()


def results(*rows: str, header: str = HEADER) -> list[Variant | BadRow | Hidden]:
    return list(read(io.StringIO(f"{header}\n{''.join(rows)}", newline="")))


def only(*rows: str) -> Variant:
    (found,) = results(*rows)
    assert isinstance(found, Variant)
    return found


def reason(*rows: str) -> tuple[int, str]:
    (found,) = [one for one in results(*rows) if isinstance(one, BadRow)]
    return found


MUG = row(Handle="mug", Title="Mug", Variant_Price="9.50", Variant_Inventory_Qty="3")


def test_the_sample_is_read_as_a_shop_means_it() -> None:
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        found = list(read(file))
    variants = {one.entry.slug: one for one in found if isinstance(one, Variant)}
    assert len(variants) == 11
    assert [type(one) for one in found if not isinstance(one, Variant)] == [Hidden, Hidden]
    shirt = variants["linen-shirt-m-sky-blue"]
    assert shirt.entry.name == "Linen Shirt – M / Sky Blue"
    assert shirt.entry.price == Decimal("62.90")
    assert shirt.entry.category == ("Apparel & Accessories", "Clothing", "Shirts")
    assert shirt.entry.description.startswith("A light shirt for warm days.\n• 100 % linen")
    assert shirt.quantity == 0
    assert variants["merino-beanie"].entry.name == "Merino Beanie"
    assert variants["notebook-dotted"].entry.category == ("Notebooks",)
    assert variants["gift-wrapping"].entry.category == ("Uncategorised",)
    assert variants["gift-wrapping"].quantity is None


def test_a_default_title_is_the_product_itself() -> None:
    found = only(row(Handle="mug", Title="Mug", Option1_Value="Default Title", Variant_Price="9"))
    assert (found.entry.slug, found.entry.name) == ("mug", "Mug")


def test_rows_with_the_same_handle_are_variants_of_the_first() -> None:
    head = row(Handle="mug", Title="Mug", Type="Cups", Option1_Value="Red", Variant_Price="9")
    red, blue = results(head, row(Handle="mug", Option1_Value="Blue", Variant_Price="8"))
    assert isinstance(red, Variant)
    assert isinstance(blue, Variant)
    assert (blue.entry.slug, blue.entry.name) == ("mug-blue", "Mug – Blue")
    assert blue.entry.category == red.entry.category == ("Cups",)
    assert blue.line == 3


def test_a_row_that_is_only_a_picture_is_no_variant() -> None:
    assert len(results(MUG, row(Handle="mug", Image_Src="https://cdn.example.com/2.jpg"))) == 1


def test_empty_lines_are_passed_over() -> None:
    assert len(results("\n", MUG, ",,,,,,,,,,,,\n", "\n")) == 1


def test_a_byte_order_mark_makes_no_difference(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        path = tmp_path / encoding
        path.write_text(f"{HEADER}\n{MUG}", encoding=encoding)
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert isinstance(next(read(file)), Variant)


def test_the_newer_dialect_is_understood() -> None:
    header = "Title,URL handle,Description,Product category,Status,Option1 value,Price"
    header += ",Inventory quantity"
    (found,) = results("Mug,mug,<p>Blue</p>,Home > Cups,active,L,9.5,4\n", header=header)
    assert isinstance(found, Variant)
    assert found.entry.slug == "mug-l"
    assert found.entry.category == ("Home", "Cups")
    assert found.entry.description == "Blue"
    assert (found.entry.price, found.quantity) == (Decimal("9.50"), 4)


@pytest.mark.parametrize(
    "cells", [{"Status": "draft"}, {"Status": "archived"}, {"Published": "FALSE"}]
)
def test_what_a_shop_does_not_show_is_left_out_with_its_variants(cells: dict[str, str]) -> None:
    head = row(Handle="mug", Title="Mug", Variant_Price="9", **cells)
    found = results(head, row(Handle="mug", Option1_Value="L", Variant_Price="9"))
    assert found == [Hidden(2), Hidden(3)]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(Title="Mug", Variant_Price="9"), "handle is missing"),
        (row(Handle="cup", Variant_Price="9"), "title is missing"),
        (row(Handle="cup", Title="Cup"), "price is missing"),
        (row(Handle="cup", Title="Cup", Variant_Price="cheap"), "'cheap' is no number"),
        (row(Handle="cup", Title="Cup", Variant_Price="-1"), "negative"),
        (row(Handle="cup", Title="Cup", Variant_Price="12345678901"), "too many digits"),
        (row(Handle="cup", Title="Cup", Variant_Price="9", Variant_Inventory_Qty="-4"), "negative"),
        (row(Handle="cup", Title="C\0p", Variant_Price="9"), "NUL"),
        (row(Handle="cup", Title="C" * 256, Variant_Price="9"), "256 characters, more than 255"),
        (row(Handle="c" * 256, Title="Cup", Variant_Price="9"), "more than 255"),
        (row(Handle="cup", Title="Cup", Type="T" * 201, Variant_Price="9"), "more than 200"),
        (row(Handle="cup", Title="C\udce9p", Variant_Price="9"), "not UTF-8"),
        ("cup,Cup,9\n", "3 columns instead of 13"),
        (row(Handle="cup", Title="Cup").rstrip() + ",\n", "14 columns instead of 13"),
        ('cup,"Cup"x,,,,,,,,,9,,\n', "expected after"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_others_are_read(bad: str, words: str) -> None:
    found = results(MUG, bad, row(Handle="jug", Title="Jug", Variant_Price="12"))
    first, reported, last = found
    assert isinstance(first, Variant)
    assert isinstance(last, Variant)
    assert isinstance(reported, BadRow)
    assert reported.line == 3
    assert words in reported.reason


def test_the_line_is_counted_in_the_file_even_after_line_breaks_in_a_cell() -> None:
    long = row(Handle="mug", Title="Mug", Body_HTML="<p>a\n\nb</p>", Variant_Price="9")
    assert reason(long, row(Title="No handle", Variant_Price="9"))[0] == 5


def test_a_variant_that_came_before_is_reported_with_both_lines() -> None:
    line, text = reason(MUG, MUG)
    assert line == 3
    assert "line 2" in text


def test_a_variant_of_a_row_that_could_not_be_read_says_so() -> None:
    bad = row(Handle="cup", Title="Cup", Type="T" * 201, Variant_Price="9")
    found = results(bad, row(Handle="cup", Option1_Value="L", Variant_Price="9"))
    assert [isinstance(one, BadRow) for one in found] == [True, True]
    assert "no row above gives 'cup' one" in found[1].reason  # type: ignore[union-attr]


def test_the_variants_of_a_first_row_with_a_bad_price_are_read() -> None:
    bad = row(Handle="cup", Title="Cup", Option1_Value="S", Variant_Price="cheap")
    _, large = results(bad, row(Handle="cup", Option1_Value="L", Variant_Price="9"))
    assert isinstance(large, Variant)
    assert large.entry.name == "Cup – L"


def test_a_quote_that_is_never_closed_is_reported_where_it_opens() -> None:
    line, text = reason(MUG, 'cup,"Cup,,,,,,,,,9,,\n', row(Handle="jug", Title="Jug"))
    assert line == 3
    assert "never closed" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("Name;Price\nMug;9\n", "no column Handle or URL handle, no Title, no Variant Price"),
        ("Handle,Title\nmug,Mug\n", "no column Variant Price or Price"),
        ("PK\x03\x04\x00\udcff", "no column"),
        ('"Handle,Title', "no CSV"),
    ],
)
def test_a_file_that_is_no_export_is_refused_as_a_whole(text: str, words: str) -> None:
    with pytest.raises(NotShopify, match=words):
        list(read(io.StringIO(text, newline="")))
