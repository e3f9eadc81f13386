from collections import Counter
from itertools import pairwise

from shop.payments.models import Payment
from shop.seeding import world
from shop.seeding.order_lines import _payment
from shop.seeding.plan import Plan
from shop.seeding.sales import Status

WORLD = world.draw(Plan(products=200, users=100, orders=3000))

# Design: pending -> paid -> shipped -> delivered, and the two ways out.
ALLOWED = {
    (Status.PENDING, Status.PAID),
    (Status.PAID, Status.SHIPPED),
    (Status.SHIPPED, Status.DELIVERED),
    (Status.PENDING, Status.CANCELLED),
    (Status.PAID, Status.CANCELLED),
    (Status.DELIVERED, Status.REFUNDED),
}

AGREES = {
    Status.PENDING: {Payment.Status.PENDING},
    Status.PAID: {Payment.Status.SUCCEEDED},
    Status.SHIPPED: {Payment.Status.SUCCEEDED},
    Status.DELIVERED: {Payment.Status.SUCCEEDED},
    Status.CANCELLED: {Payment.Status.FAILED, Payment.Status.REFUNDED},
    Status.REFUNDED: {Payment.Status.REFUNDED},
}


def test_an_order_goes_an_allowed_way_forward_in_time() -> None:
    for sale in WORLD.sales:
        assert sale.events[0].status == Status.PENDING
        for one, other in pairwise(sale.events):
            assert (one.status, other.status) in ALLOWED
            assert one.at < other.at
        assert sale.events[-1].at <= WORLD.plan.end


def test_every_status_occurs() -> None:
    assert {sale.status for sale in WORLD.sales} == set(Status)


def test_a_payment_agrees_with_its_order() -> None:
    for sale in WORLD.sales:
        assert _payment(sale).split("\t")[0] in AGREES[sale.status]


def test_an_order_has_one_to_five_lines_of_different_products() -> None:
    for sale in WORLD.sales:
        products = [index for index, _ in sale.lines]
        assert 1 <= len(products) <= 5
        assert len(set(products)) == len(products)
        assert all(units >= 1 for _, units in sale.lines)


def test_nobody_buys_before_they_registered_or_before_it_was_there() -> None:
    for sale in WORLD.sales:
        assert sale.at > WORLD.people[sale.user].at
        assert all(sale.at > WORLD.products[index].at for index, _ in sale.lines)


def test_a_few_products_and_users_make_most_of_the_sales() -> None:
    products = Counter(index for sale in WORLD.sales for index, _ in sale.lines)
    buyers = Counter(sale.user for sale in WORLD.sales)
    for counted, rows in ((products, 200), (buyers, 100)):
        top = sum(count for _, count in counted.most_common(rows // 5))
        assert top > 0.4 * counted.total()


def test_what_was_received_covers_what_was_taken() -> None:
    taken: Counter[int] = Counter()
    returned: Counter[int] = Counter()
    for sale in WORLD.sales:
        for index, units in sale.lines:
            taken[index] += units
            returned[index] += units if sale.status == Status.CANCELLED else 0
    for index, shelf in enumerate(WORLD.shelves):
        assert shelf.received >= taken[index]
        assert shelf.available == shelf.received - taken[index] + returned[index]


def test_only_buyers_review_and_only_once() -> None:
    bought = {(sale.user, index) for sale in WORLD.sales for index, _ in sale.lines}
    reviews = [(review.user, review.product) for review in WORLD.reviews]
    assert len(reviews) == len(set(reviews)) > 100
    assert set(reviews) <= bought
