from shop.seeding import drawing
from shop.seeding.goods import KINDS
from shop.seeding.plan import Plan

PLAN = Plan(products=300, users=200, orders=0)


def test_the_same_plan_draws_the_same_rows() -> None:
    assert drawing.products(PLAN) == drawing.products(PLAN)
    assert drawing.people(PLAN) == drawing.people(PLAN)


def test_another_seed_draws_others() -> None:
    other = Plan(products=300, users=200, orders=0, seed=2)
    assert drawing.products(PLAN) != drawing.products(other)
    assert {one.id for one in drawing.people(PLAN)}.isdisjoint(
        one.id for one in drawing.people(other)
    )


def test_the_first_rows_are_the_same_however_many_there_are() -> None:
    assert drawing.products(PLAN)[:3] == drawing.products(PLAN, 3)
    assert drawing.people(PLAN)[:3] == drawing.people(PLAN, 3)


def test_a_product_fits_its_category() -> None:
    for product in drawing.products(PLAN):
        kind = KINDS[product.kind]
        assert any(product.name.endswith(noun) for noun in kind.nouns)
        assert kind.low * 100 <= product.cents <= kind.high * 100 + 99
        assert kind.use in product.description
        assert "{" not in product.description


def test_everything_came_into_being_within_the_history() -> None:
    moments = [one.at for one in (*drawing.products(PLAN), *drawing.people(PLAN))]
    assert PLAN.start <= min(moments)
    assert max(moments) < PLAN.end
