"""Moving categories: what is stored of the tree is always what the parents say."""

import pytest
from django.db import transaction

from shop.catalog import services
from shop.catalog.errors import CategoryCycle, CategoryExists, CategoryGone, CategoryInUse
from shop.catalog.models import Category
from shop.core.errors import NotFound
from tests.conftest import MakeProduct
from tests.integration.core.assertions import statements
from tests.integration.core.concurrency import beside

pytestmark = pytest.mark.django_db

Tree = dict[str, Category]


@pytest.fixture
def tree(db: None) -> Tree:
    """A > B > C > D, and A > E; F and G stand by themselves, G with its child H."""
    made: Tree = {}
    for name, parent in ("A-", "BA", "CB", "DC", "EA", "F-", "G-", "HG"):
        made[name] = services.create_category(name=name, parent=made.get(parent))
    return made


def paths() -> dict[str, str]:
    """Return each category's stored path, having compared it with what the parents say."""
    rows = {row.id: row for row in Category.objects.all()}

    def above(row: Category) -> list[int]:
        return [*above(rows[row.parent_id]), row.parent_id] if row.parent_id else []

    for row in rows.values():
        assert row.ancestor_ids == above(row)
    return {row.name: "".join(rows[key].name for key in row.ancestor_ids) for row in rows.values()}


BEFORE = {"A": "", "B": "A", "C": "AB", "D": "ABC", "E": "A", "F": "", "G": "", "H": "G"}


@pytest.mark.parametrize(
    ("name", "parent", "changed"),
    [
        ("B", "H", {"B": "GH", "C": "GHB", "D": "GHBC"}),
        ("B", "F", {"B": "F", "C": "FB", "D": "FBC"}),
        ("B", None, {"B": "", "C": "B", "D": "BC"}),
        ("B", "A", {}),
        ("G", "D", {"G": "ABCD", "H": "ABCDG"}),
        ("D", "A", {"D": "A"}),
        ("F", None, {}),
    ],
)
def test_a_category_moves_with_all_that_lies_below_it(
    tree: Tree, name: str, parent: str | None, changed: dict[str, str]
) -> None:
    assert paths() == BEFORE
    services.update_category(tree[name].id, {"parent": tree[parent] if parent else None})
    assert paths() == BEFORE | changed


@pytest.mark.parametrize("below", ["A", "B", "D"])
def test_nothing_is_moved_below_itself(tree: Tree, below: str) -> None:
    with pytest.raises(CategoryCycle):
        services.update_category(tree["A"].id, {"parent": tree[below]})
    assert paths() == BEFORE


def test_a_move_costs_five_statements_however_much_is_moved(tree: Tree) -> None:
    # Lock, move, save; and two that tell the cache where it was and is.
    with statements(5):
        services.update_category(tree["A"].id, {"parent": tree["F"]})


def test_a_new_name_moves_nothing(tree: Tree) -> None:
    services.update_category(tree["B"].id, {"name": "Z"})
    assert paths() == {
        "Z" if name == "B" else name: path.replace("B", "Z") for name, path in BEFORE.items()
    }


def test_a_name_that_the_new_parent_has_already_moves_nothing(tree: Tree) -> None:
    services.create_category(name="E", parent=tree["F"])
    with pytest.raises(CategoryExists), transaction.atomic():
        services.update_category(tree["E"].id, {"parent": tree["F"]})
    assert Category.objects.get(id=tree["E"].id).parent_id == tree["A"].id


def test_a_parent_that_is_gone_takes_nothing_in(tree: Tree) -> None:
    services.delete_category(tree["F"].id)
    with pytest.raises(CategoryGone):
        services.create_category(name="New", parent=tree["F"])
    with pytest.raises(CategoryGone):
        services.update_category(tree["A"].id, {"parent": tree["F"]})
    with pytest.raises(NotFound):
        services.update_category(tree["F"].id, {"name": "New"})
    with pytest.raises(NotFound):
        services.delete_category(tree["F"].id)


def test_a_category_with_children_or_products_stays(
    tree: Tree, make_product: MakeProduct, category: Category
) -> None:
    make_product()
    for used in (tree["A"], tree["C"], category):
        with pytest.raises(CategoryInUse), transaction.atomic():
            services.delete_category(used.id)
    services.delete_category(tree["D"].id)
    services.delete_category(tree["C"].id)
    assert set(paths()) == {"A", "B", "E", "F", "G", "H", "Books"}


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle(tree: Tree) -> None:
    """Each of the two is allowed by itself; the second finds what the first has made."""
    with beside(
        lambda: services.update_category(tree["A"].id, {"parent": tree["G"]}),
        lambda: services.update_category(tree["G"].id, {"parent": tree["A"]}),
    ) as moved:
        pass
    outcomes = [type(one.exception()) for one in moved]
    assert sorted(outcomes, key=str) == sorted([type(None), CategoryCycle], key=str)
    assert paths()


@pytest.mark.django_db(transaction=True)
def test_a_category_that_is_created_during_a_move_lies_where_its_parent_went(tree: Tree) -> None:
    with beside(
        *[lambda: services.update_category(tree["A"].id, {"parent": tree["G"]})],
        *[
            lambda name=name: services.create_category(name=name, parent=tree["D"])
            for name in ("X", "Y", "Z")
        ],
    ) as done:
        pass
    assert [one.exception() for one in done] == [None] * 4
    assert {paths()[name] for name in "XYZ"} == {"GABCD"}
