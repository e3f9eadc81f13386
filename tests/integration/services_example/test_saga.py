"""An order and its reservation end together, whatever is lost between them."""

from uuid import UUID

import pytest

from docs.examples.services.products import KeyReused, OutOfStock
from sharding.ids import new_id
from tests.integration.services_example.shop import LONG, OVER, Shop, at_once


def test_an_order_whose_answers_are_lost_is_confirmed_once(shop: Shop) -> None:
    shop.near.loses_answers = True
    order = shop.place(2)
    shop.orders.advance(order)
    assert (shop.status(order), shop.left()) == ("pending", 8)
    shop.near.loses_answers = False
    shop.orders.advance(order)
    shop.hear()
    assert (shop.status(order), shop.left(), shop.balance()) == ("confirmed", 8, 60)
    assert shop.wrong() == []


def test_an_order_out_of_patience_releases_what_it_may_hold(shop: Shop) -> None:
    shop.near.loses_answers = True
    order = shop.place(2, patience=OVER)
    assert (shop.status(order), shop.left()) == ("cancelling", 10)
    shop.near.loses_answers = False
    shop.orders.advance(order)
    assert (shop.status(order), shop.balance()) == ("cancelled", 100)
    shop.hear()
    assert shop.wrong() == []


def test_an_order_whose_hold_ends_before_its_confirmation_gets_the_money_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(order_id: UUID) -> str:
        shop.catalog.run("UPDATE reservation SET expires_at = now()")
        shop.products.expire()
        return shop.products.decide(order_id, "confirmed")

    monkeypatch.setattr(shop.near, "confirm", too_late)
    order = shop.place(2)
    assert shop.orders.show(order)["reason"] == "the hold had ended"
    assert (shop.status(order), shop.left(), shop.balance()) == ("cancelled", 10, 100)
    shop.hear()
    assert shop.wrong() == []


@pytest.mark.parametrize(("units", "reason"), [(11, "stock was refused"), (6, "not enough money")])
def test_an_order_that_cannot_be_leaves_nothing_behind(shop: Shop, units: int, reason: str) -> None:
    order = shop.place(units)
    assert shop.orders.show(order)["reason"] == reason
    assert (shop.status(order), shop.left(), shop.balance()) == ("cancelled", 10, 100)
    shop.hear()
    assert shop.wrong() == []


def test_an_order_is_paid_once_by_many_at_once(shop: Shop) -> None:
    shop.near.loses_answers = True
    order = shop.place(2)
    shop.near.loses_answers = False
    at_once(8, lambda _: shop.orders.advance(order))
    shop.hear()
    assert (shop.status(order), shop.balance(), shop.sold()) == ("confirmed", 60, 2)
    assert shop.wrong() == []


def test_what_is_left_is_held_by_as_many_as_it_is_enough_for(shop: Shop) -> None:
    def reserve(_: int) -> str:
        try:
            return shop.products.reserve(new_id(), {shop.lamp: 2}, hold=LONG)
        except OutOfStock:
            return "refused"

    answers = at_once(8, reserve)
    assert sorted(answers) == ["held"] * 5 + ["refused"] * 3
    assert shop.left() == 0


def test_the_first_decision_stands_for_all(shop: Shop) -> None:
    key = new_id()
    shop.products.reserve(key, {shop.lamp: 2}, hold=LONG)
    wishes = ["confirmed", "released"] * 4
    decisions = at_once(8, lambda number: shop.products.decide(key, wishes[number]))
    assert len(set(decisions)) == 1
    assert shop.left() == (8 if decisions[0] == "confirmed" else 10)


def test_a_reservation_that_its_release_overtook_holds_nothing(shop: Shop) -> None:
    key = new_id()
    assert shop.products.decide(key, "released") == "released"
    assert shop.products.reserve(key, {shop.lamp: 2}, hold=LONG) == "released"
    assert shop.left() == 10


def test_a_key_is_good_for_one_request(shop: Shop) -> None:
    key = new_id()
    shop.products.reserve(key, {shop.lamp: 2}, hold=LONG)
    with pytest.raises(KeyReused):
        shop.products.reserve(key, {shop.lamp: 3}, hold=LONG)
    assert shop.left() == 8
