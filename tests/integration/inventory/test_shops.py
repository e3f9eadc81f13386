"""What shops met when they loaded their exports, each by the smallest file that shows it."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from shop.catalog.models import Product
from shop.inventory.selectors import available, drift
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

FILES = Path(__file__).parents[2] / "data" / "shopify"


def load(name: str, *options: str) -> str:
    out = StringIO()
    call_command("import_catalog", str(FILES / name), *options, stdout=out, stderr=out)
    return out.getvalue()


def refusal(name: str, *options: str) -> str:
    with pytest.raises(CommandError) as failure:
        load(name, *options)
    return str(failure.value)


def shop() -> dict[str, tuple[str, str]]:
    """Return the name and the price of each product by its slug."""
    rows = Product.objects.values_list("slug", "name", "price")
    return {slug: (name, str(price)) for slug, name, price in rows}


def test_no_file_takes_over_the_product_of_another_whose_slug_is_the_same() -> None:
    load("same-slug-first.csv")
    assert "1 created, 0 updated" in load("same-slug-second.csv")
    assert shop() == {
        "bug-a6b-tee-black": ("Tee – Black", "9.00"),
        "bug-a6b-tee-black-2": ("Tee Black (limited)", "99.00"),
    }
    assert "0 created, 0 updated, 1 unchanged; stock set for 0." in load("same-slug-first.csv")


def test_no_file_takes_over_a_product_that_staff_made(make_product: MakeProduct) -> None:
    mug = make_product("bug a7", price="5.00")
    told = load("status-active.csv")
    assert "1 created" in told
    assert "1 have the slug of a product that no import made" in told
    mug.refresh_from_db()
    assert (mug.name, str(mug.price)) == ("bug a7", "5.00")


def test_what_imports_made_before_handles_were_kept_is_adopted_on_request(
    make_product: MakeProduct,
) -> None:
    mug = make_product("bug a7", price="5.00", stock=2)
    assert "0 created, 1 updated" in load("status-active.csv", "--adopt")
    mug.refresh_from_db()
    assert (mug.slug, mug.name, available(mug.id)) == ("bug-a7", "Seasonal mug", 7)
    assert "1 unchanged" in load("status-active.csv")


def test_two_products_of_one_file_may_come_to_one_slug() -> None:
    assert "2 created" in load("two-products-one-slug.csv")
    assert [price for _, price in shop().values()] == ["9.00", "99.00"]


def test_options_that_differ_in_a_sign_are_different() -> None:
    assert "10 created" in load("symbol-options.csv")
    assert len(shop()) == 10
    assert "10 unchanged" in load("symbol-options.csv")
    assert shop()["bug-a5-lens-minus-1-00"] == ("Reading glasses – -1.00", "9.00")


@pytest.mark.parametrize("name", ["marked-section.csv", "shortcode.csv"])
def test_odd_markup_stops_no_file(name: str) -> None:
    assert "2 created" in load(name)


def test_what_is_withdrawn_in_the_file_goes_off_sale() -> None:
    load("status-active.csv")
    for name, status in (("archived", "archived"), ("draft", "draft"), ("active", "active")):
        told = load(f"status-{name}.csv")
        assert "0 created, 1 updated" in told
        assert ("Not for sale: 1 " + status in told) == (status != "active")
        assert Product.objects.get().status == status
    assert available(Product.objects.get().id) == 7


def test_what_shopify_sells_without_counting_is_sold_so_here() -> None:
    assert "3 sold without counting" in load("untracked.csv")
    assert set(Product.objects.values_list("track_inventory", flat=True)) == {False}


def test_a_negative_quantity_is_zero_with_a_warning() -> None:
    told = load("negative-quantity.csv")
    assert "2 created" in told
    assert told.count("the quantity '-4' is negative: taken for 0") == 2
    assert drift() == []


def test_a_whole_number_may_be_written_with_a_point() -> None:
    load("float-quantity.csv")
    assert Product.objects.get().stock_quantity == 12


def test_a_gift_card_is_a_draft_and_said_to_be() -> None:
    assert "a gift card, and nothing here issues one" in load("gift-card.csv")
    assert set(Product.objects.values_list("status", flat=True)) == {"draft"}


@pytest.mark.parametrize(
    ("name", "words", "options"),
    [
        ("semicolon.csv", "by semicolons: --delimiter ';'", ["--delimiter=;", "--decimal=,"]),
        ("tab.csv", "by tabs: --delimiter tab", ["--delimiter=tab"]),
    ],
)
def test_the_refusal_names_the_separator_and_the_option_that_reads_it(
    name: str, words: str, options: list[str]
) -> None:
    assert words in refusal(name)
    assert "1 created" in load(name, *options)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_the_refusal_names_the_encoding_and_the_option_that_reads_it(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Handle,Title,Variant Price\ncafe,Café,9.00\n", encoding=encoding)
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("import_catalog", str(path), stdout=out, stderr=out)
    assert "--encoding" in str(failure.value) + out.getvalue()
    call_command("import_catalog", str(path), "--encoding", encoding, stdout=out)
    assert Product.objects.get().name == "Café"
    if encoding == "utf-16":
        with pytest.raises(CommandError, match="no encoding 'utf-99'"):
            call_command("import_catalog", str(path), "--encoding", "utf-99")


@pytest.mark.parametrize("name", ["cr-only.csv", "sep.csv"])
def test_line_ends_of_old_and_the_hint_of_excel_are_read(name: str) -> None:
    assert "1 created" in load(name)


def test_a_sorted_file_is_read() -> None:
    assert "2 created" in load("sorted.csv")


def test_every_path_becomes_a_category() -> None:
    assert "5 created" in load("category.csv")


def test_variants_that_the_file_no_longer_has_are_named_and_archived_on_request() -> None:
    load("renamed-before.csv")
    told = load("renamed-after.csv")
    assert "2 variants that the file no longer has, still for sale" in told
    assert "Shirt – Blue, Shirt – Red" in told
    assert Product.objects.filter(status="active").count() == 3
    assert "archived: Shirt – Blue, Shirt – Red" in load("renamed-after.csv", "--archive-removed")
    assert Product.objects.get(status="active").name == "Shirt – Navy"
    assert "no longer has" not in load("renamed-after.csv")


def test_nothing_is_called_removed_that_a_bad_row_may_have_been(tmp_path: Path) -> None:
    load("renamed-before.csv")
    path = tmp_path / "export.csv"
    whole = (FILES / "renamed-after.csv").read_text()
    path.write_text(f"{whole}bug-a16,,,,,,Blue,A16A,shopify,3,deny,cheap,,\n")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("import_catalog", str(path), "--archive-removed", stdout=out, stderr=out)
    assert "no longer has" not in out.getvalue()
    assert Product.objects.filter(status="active").count() == 3


def test_a_dry_run_tells_what_would_be_done_and_does_nothing() -> None:
    load("renamed-before.csv")
    told = load("renamed-after.csv", "--dry-run", "--archive-removed")
    assert "nothing is written" in told
    assert "1 products: 1 created, 0 updated, 0 unchanged; stock set for 1." in told
    assert Product.objects.filter(status="active").count() == 2


def test_what_is_not_loaded_is_told_by_column() -> None:
    assert "Not loaded, cells by column: Option1 Name 1, Variant SKU 1." in load(
        "float-quantity.csv"
    )


def test_each_line_that_is_not_sold_is_explained_on_request(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = ("a,A,9,3,active", "b,B,9,0,active", "c,C,9,,active", "d,D,9,5,draft")
    header = "Handle,Title,Variant Price,Variant Inventory Qty,Status"
    path.write_text("\n".join((header, *rows)) + "\n")
    out = StringIO()
    call_command("import_catalog", str(path), "--explain", stdout=out, stderr=out)
    assert [line for line in out.getvalue().splitlines() if line.startswith("line")] == [
        "line 3: nothing in stock",
        "line 4: no quantity: its stock stays as it is",
        "line 5: not for sale: draft",
    ]


def test_a_byte_that_no_encoding_has_costs_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"Handle,Title,Variant Price\na,Caf\xe9,9\nb,\x9d,9\n")
    out = StringIO()
    with pytest.raises(CommandError, match="1 row was not loaded"):
        call_command("import_catalog", str(path), "--encoding=cp1252", stdout=out, stderr=out)
    assert Product.objects.get().name == "Café"
