import pytest

from shop.seeding import lines, world
from shop.seeding.plan import Plan
from shop.seeding.tables import TABLES, Table
from shop.seeding.world import World


def settled() -> World:
    drawn = world.draw(Plan(products=40, users=30, orders=200))
    for index, product in enumerate(drawn.products):
        product.slug = f"product-{index}"
    for index, person in enumerate(drawn.people):
        person.username = f"person-{index}"
    drawn.category_ids = list(range(1, 100))
    return drawn


def written() -> dict[Table, list[str]]:
    rows: dict[Table, list[str]] = {}
    for _, portion in lines.portions(settled(), "hash"):
        for table, some in portion.items():
            rows.setdefault(table, []).extend(some)
    return rows


def test_the_same_plan_writes_the_same_lines() -> None:
    assert written() == written()


def test_every_line_has_a_value_for_each_column() -> None:
    rows = written()
    assert len(rows) == len(TABLES) - 1  # categories depend on what is there
    for table, some in rows.items():
        assert {line.count("\t") for line in some} == {len(table.columns) - 1}
        assert all(line.endswith("\n") and line.count("\n") == 1 for line in some)


def test_the_progress_adds_up_to_the_size_of_the_world() -> None:
    drawn = settled()
    assert sum(done for done, _ in lines.portions(drawn, "hash")) == drawn.size == 270


def test_a_large_world_is_written_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written()
    monkeypatch.setattr(lines, "PORTION", 7)
    sizes = {table: len(some) for table, some in written().items()}
    assert sizes == {table: len(some) for table, some in whole.items()}
