from collections.abc import Callable
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from shop.catalog import services as catalog
from shop.catalog.models import Category, Product
from shop.inventory import importing
from shop.inventory import services as inventory
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import available, drift
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

SAMPLE = Path(__file__).parents[2] / "data" / "shopify.csv"
HEADER = "Handle,Title,Type,Option1 Value,Variant Inventory Qty,Variant Price"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an export of these rows."""

    def write(*rows: str) -> Path:
        path = tmp_path / "export.csv"
        path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
        return path

    return write


def load(path: Path) -> str:
    out = StringIO()
    call_command("import_catalog", str(path), stdout=out, stderr=out)
    return out.getvalue()


def failing(path: Path) -> tuple[str, str]:
    """Return what was printed, and the sentence of the CommandError."""
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("import_catalog", str(path), stdout=out, stderr=out)
    assert failure.value.returncode == 1
    return out.getvalue(), str(failure.value)


def test_the_sample_becomes_categories_products_and_stock() -> None:
    told = load(SAMPLE)
    assert "13 products: 13 created, 0 updated, 0 unchanged; stock set for 11." in told
    assert "Not for sale: 2 draft." in told
    assert "1 sold without counting" in told
    shirt = Product.objects.select_related("category").get(slug="linen-shirt-m-white")
    assert shirt.stock_quantity == available(shirt.id) == 20
    names = [Category.objects.get(id=key).name for key in shirt.category.ancestor_ids]
    assert [*names, shirt.category.name] == ["Apparel & Accessories", "Clothing", "Shirts"]
    assert set(StockMovement.objects.cross_shard().values_list("reason", flat=True)) == {"import"}
    assert drift() == []


def test_importing_again_changes_nothing() -> None:
    load(SAMPLE)
    before = list(Product.objects.order_by("id").values_list("id", "updated_at"))
    movements = StockMovement.objects.cross_shard().count()
    assert "0 created, 0 updated, 13 unchanged; stock set for 0." in load(SAMPLE)
    assert list(Product.objects.order_by("id").values_list("id", "updated_at")) == before
    assert StockMovement.objects.cross_shard().count() == movements


def test_a_known_variant_is_updated_and_its_stock_follows(write: Write) -> None:
    load(write("mug,Mug,Cups,,4,10.00", "jug,Jug,Cups,,10,9.00"))
    more, less = Product.objects.order_by("-name")
    StockMovement.objects.cross_shard().filter(reason="import").update(reason="receipt")
    told = load(write("mug,Big mug,Cups,,9,12.50", "jug,Jug,Cups,,7,10.00"))
    assert "0 created, 2 updated" in told
    more.refresh_from_db()
    assert (more.name, str(more.price), more.stock_quantity) == ("Big mug", "12.50", 9)
    deltas = StockMovement.objects.cross_shard().filter(reason="import")
    assert dict(deltas.values_list("product_id", "delta")) == {more.id: 5, less.id: -3}
    assert available(less.id) == 7
    assert drift() == []


def test_an_empty_quantity_leaves_the_stock_as_it_is(write: Write) -> None:
    load(write("mug,Mug,Cups,,4,9.00"))
    assert "1 without a quantity" in load(write("mug,Mug,Cups,,,9.00"))
    mug = Product.objects.get()
    assert available(mug.id) == 4


def test_a_category_that_is_there_is_used(write: Write) -> None:
    there = catalog.create_category(name="Cups")
    load(write("mug,Mug,Cups,,1,9.00"))
    assert Product.objects.get(slug="mug").category_id == there.id


def test_a_bad_row_is_reported_with_its_line_and_the_others_load(write: Write) -> None:
    path = write("mug,Mug,Cups,,1,9.00", "cup,Cup,Cups,,1,cheap", "jug,Jug,Cups,,2,9.00", "x")
    told, sentence = failing(path)
    assert "line 3: the price 'cheap' is no number" in told
    assert "line 5: 1 columns instead of 6" in told
    assert "2 products: 2 created" in told
    assert sentence == "2 rows were not loaded; the reasons stand above."
    assert set(Product.objects.values_list("slug", flat=True)) == {"mug", "jug"}


def test_a_byte_that_is_no_utf_8_costs_its_row_alone(write: Write) -> None:
    path = write("mug,Mug,Cups,,1,9.00", "caf,Cafe,Cups,,1,9.00")
    path.write_bytes(path.read_bytes().replace(b"Cafe", b"Caf\xe9"))
    told, _ = failing(path)
    assert "line 3: it is not text in this encoding" in told
    assert Product.objects.get().slug == "mug"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "it is empty"),
        (b"PK\x03\x04\x00\x00\xff\xfe", "it is a workbook"),
        (b"Handle,Title\nmug,Mug\n", "names no column Variant Price"),
    ],
)
def test_a_file_that_is_no_export_is_answered_in_a_sentence(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    if content is not None:
        path.write_bytes(content)
    told, sentence = failing(path)
    assert told == ""
    assert words in sentence
    assert sentence.endswith(".")


def test_a_thousand_rows_and_more_are_loaded_in_batches(write: Write) -> None:
    rows = [f"mug-{number},Mug {number},Cups,,{number % 5},9.00" for number in range(1100)]
    assert "1100 created" in load(write(*rows))
    assert Stock.objects.cross_shard().count() == 1100
    assert Product.objects.get(slug="mug-1099").stock_quantity == 4
    assert drift() == []


@pytest.mark.parametrize(("wanted", "left"), [(7, 2), (4, 4)])
def test_an_order_between_looking_and_moving_is_neither_lost_nor_counted_twice(
    wanted: int, left: int, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shelf held 10 when we looked; an order then takes 5 of them.

    Going down by 3 leaves 2. Going down by 6 is not possible any more, so we look again.
    """
    mug = make_product("Mug", stock=10)
    original, orders = importing._move_to, [5]

    def late(product_id: int, wanted: int, there: int) -> bool:
        inventory.take({mug.id: orders.pop()}, order_id=uuid4())
        return original(product_id, wanted, there)

    monkeypatch.setattr(importing, "_move_to", late)
    assert importing.set_stock({mug.id: wanted}) == 1
    assert orders == []
    assert available(mug.id) == left
    mug.refresh_from_db()
    assert mug.stock_quantity == left
    assert drift() == []


def test_a_shelf_that_somebody_began_meanwhile_is_added_to(make_product: MakeProduct) -> None:
    mug = make_product("Mug", stock=10)
    assert importing._begin({mug.id: 3}) == 1
    assert available(mug.id) == 13
    assert drift() == []
