import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from shop.catalog.shopify import BadRow, Export, Variant
from shop.catalog.shopify_file import NotShopify, opened

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


def results(*rows: str, header: str = HEADER) -> list[Variant | BadRow]:
    return list(Export(io.StringIO(f"{header}\n{''.join(rows)}", newline="")))


def only(*rows: str) -> Variant:
    (found,) = results(*rows)
    assert isinstance(found, Variant)
    return found


def reason(*rows: str) -> tuple[int, str]:
    (found,) = [one for one in results(*rows) if isinstance(one, BadRow)]
    return found.line, found.reason


MUG = row(Handle="mug", Title="Mug", Variant_Price="9.50", Variant_Inventory_Qty="3")


def test_the_sample_is_read_as_a_shop_means_it() -> None:
    with opened(SAMPLE) as file:
        found = list(Export(file))
    variants = {one.entry.key: one for one in found if isinstance(one, Variant)}
    assert len(variants) == len(found) == 13
    hidden = [one.entry.status for one in variants.values() if one.entry.status != "active"]
    assert hidden == ["draft", "draft"]
    shirt = variants["linen-shirt", ("M", "Sky Blue")]
    assert shirt.entry.name == "Linen Shirt – M / Sky Blue"
    assert shirt.entry.price == Decimal("62.90")
    assert shirt.entry.category == ("Apparel & Accessories", "Clothing", "Shirts")
    assert shirt.entry.description.startswith("A light shirt for warm days.\n• 100 % linen")
    assert shirt.quantity == 0
    assert variants["merino-beanie", ()].entry.name == "Merino Beanie"
    assert variants["notebook-dotted", ()].entry.category == ("Notebooks",)
    assert variants["gift-wrapping", ()].entry.category == ("Uncategorised",)
    assert variants["gift-wrapping", ()].quantity is None


def test_a_default_title_is_the_product_itself() -> None:
    found = only(row(Handle="mug", Title="Mug", Option1_Value="Default Title", Variant_Price="9"))
    assert (found.entry.key, found.entry.name) == (("mug", ()), "Mug")


def test_rows_with_the_same_handle_are_variants_of_the_first() -> None:
    head = row(Handle="mug", Title="Mug", Type="Cups", Option1_Value="Red", Variant_Price="9")
    red, blue = results(head, row(Handle="mug", Option1_Value="Blue", Variant_Price="8"))
    assert isinstance(red, Variant)
    assert isinstance(blue, Variant)
    assert (blue.entry.key, blue.entry.name) == (("mug", ("Blue",)), "Mug – Blue")
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
            assert isinstance(next(iter(Export(file))), Variant)


def test_the_newer_dialect_is_understood() -> None:
    header = "Title,URL handle,Description,Product category,Status,Option1 value,Price"
    header += ",Inventory quantity"
    (found,) = results("Mug,mug,<p>Blue</p>,Home > Cups,active,L,9.5,4\n", header=header)
    assert isinstance(found, Variant)
    assert found.entry.key == ("mug", ("L",))
    assert found.entry.category == ("Home", "Cups")
    assert found.entry.description == "Blue"
    assert (found.entry.price, found.quantity) == (Decimal("9.50"), 4)


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ({"Status": "draft"}, "draft"),
        ({"Status": "Archived"}, "archived"),
        ({"Status": "active"}, "active"),
        ({"Status": "unlisted"}, "draft"),
        ({"Published": "FALSE"}, "draft"),
        ({"Published": "false", "Status": "archived"}, "archived"),
    ],
)
def test_a_product_and_its_variants_have_the_status_that_the_file_says(
    cells: dict[str, str], status: str
) -> None:
    head = row(Handle="mug", Title="Mug", Variant_Price="9", **cells)
    found = results(head, row(Handle="mug", Option1_Value="L", Variant_Price="9"))
    assert [one.entry.status for one in found if isinstance(one, Variant)] == [status, status]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(Title="Mug", Variant_Price="9"), "handle is missing"),
        (row(Handle="cup", Title="Cup"), "price is missing"),
        (row(Handle="cup", Title="Cup", Variant_Price="cheap"), "'cheap' is no number"),
        (row(Handle="cup", Title="Cup", Variant_Price="-1"), "negative"),
        (row(Handle="cup", Title="Cup", Variant_Price="12345678901"), "too many digits"),
        (
            row(Handle="cup", Title="Cup", Variant_Price="9", Variant_Inventory_Qty="4.5"),
            "no whole",
        ),
        (row(Handle="cup", Title="Cup", Variant_Price="9", Status="sold"), "none of active"),
        (row(Handle="cup", Title="C\0p", Variant_Price="9"), "NUL"),
        (row(Handle="cup", Title="Cup", Option1_Value="O" * 256, Variant_Price="9"), "256 char"),
        (row(Handle="c" * 256, Title="Cup", Variant_Price="9"), "more than 255"),
        (row(Handle="cup", Title="Cup", Type="T" * 201, Variant_Price="9"), "more than 200"),
        (row(Handle="cup", Title="C\udce9p", Variant_Price="9"), "not text in this encoding"),
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
    assert "no other row gives 'cup' one" in found[1].reason  # type: ignore[union-attr]


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
        ("Handle;Title;Variant Price\nmug;Mug;9\n", "by semicolons: --delimiter ';'"),
        ("Handle\tTitle\tVariant Price\nmug\tMug\t9\n", "by tabs: --delimiter tab"),
        ('"Handle"|"Title"|"Variant Price"\n', "by bars: --delimiter '|'"),
        ("\udcff\udcfeH\0a\0", "UTF-16: --encoding utf-16"),
        ("Handle,Title\nmug,Mug\n", "no column Variant Price or Price"),
        ("PK\x03\x04\x00\udcff", "workbook"),
        ('"Handle,Title', "no CSV"),
    ],
)
def test_a_file_that_is_no_export_is_refused_as_a_whole(text: str, words: str) -> None:
    with pytest.raises(NotShopify, match=words):
        list(Export(io.StringIO(text, newline="")))


def test_a_row_above_the_one_that_names_its_product_belongs_to_it() -> None:
    above = row(Handle="shirt", Option1_Value="M", Variant_Price="9")
    head = row(Handle="shirt", Title="Shirt", Option1_Value="S", Variant_Price="9")
    found = [one for one in results(above, head) if isinstance(one, Variant)]
    assert [(one.line, one.entry.name) for one in found] == [(3, "Shirt – S"), (2, "Shirt – M")]


def test_a_title_that_leaves_no_room_for_its_option_is_cut_and_said_to_be() -> None:
    cells = {"Title": "T" * 250, "Option1_Value": "Extra large", "Variant_Price": "9"}
    found = only(row(Handle="shirt", **cells))
    assert len(found.entry.name) == 255
    assert found.entry.name.endswith("T… – Extra large")
    assert found.warnings == ("the name has 264 characters and was cut to 255",)
    assert only(row(Handle="mug", Title="M" * 255, Variant_Price="9")).warnings == ()


def test_a_picture_inside_a_description_costs_nothing() -> None:
    picture = f'<p>Nice.</p><img src="data:image/png;base64,{"iVBORw0KGgo" * 20_000}">'
    found = only(row(Handle="mug", Title="Mug", Body_HTML=picture, Variant_Price="9"))
    assert found.entry.description == "Nice."


def test_what_is_not_loaded_is_counted_by_column() -> None:
    first = row(Handle="mug", Title="Mug", Variant_SKU="M1", Variant_Price="9", Image_Src="a.jpg")
    export = Export(io.StringIO(f"{HEADER}\n{first}{row(Handle='mug', Image_Src='b.jpg')}"))
    assert len(list(export)) == 1
    assert export.not_loaded == {"Image Src": 2, "Variant SKU": 1}


@pytest.mark.parametrize(
    ("tracker", "policy", "counted"),
    [("shopify", "deny", True), ("", "deny", False), ("shopify", "continue", False)],
)
def test_units_are_counted_where_shopify_counts_them(
    tracker: str, policy: str, counted: bool
) -> None:
    header = "Handle,Title,Variant Price,Variant Inventory Qty,Variant Inventory Tracker"
    header += ",Variant Inventory Policy"
    (found,) = results(f"mug,Mug,9,5,{tracker},{policy}\n", header=header)
    assert isinstance(found, Variant)
    assert found.entry.track_inventory is counted
    assert found.quantity == (5 if counted else None)


def test_an_export_that_does_not_say_who_counts_leaves_it_as_it_is() -> None:
    assert only(MUG).entry.track_inventory is None


def test_a_comma_before_the_cents_is_read_when_it_is_said_to_be_one() -> None:
    lines = "Handle;Title;Variant Price\nmug;Mug;9,90\n"
    (found,) = Export(io.StringIO(lines), delimiter=";", decimal=",")
    assert isinstance(found, Variant)
    assert found.entry.price == Decimal("9.90")
    (refused,) = Export(io.StringIO(lines), delimiter=";")
    assert isinstance(refused, BadRow)
    assert refused.reason == "the price '9,90' is no number; --decimal , reads it"
