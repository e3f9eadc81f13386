"""Orders, payments, reviews, webhooks and dead letters in the hands of staff."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from sharding.django.transactions import atomic
from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import services
from shop.checkout.webhook import receive
from shop.core.models import DeadLetter, OutboxEvent
from shop.inventory.selectors import available
from shop.orders.models import Order, OrderEvent
from shop.orders.selectors import order_of
from shop.payments.models import Payment
from shop.payments.selectors import payments_of_order
from shop.reviews.models import Review
from shop.webhooks import services as webhooks
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.conftest import MakeProduct
from tests.integration.admin.conftest import Open
from tests.integration.admin.pages import (
    DELIVERIES,
    ENDPOINTS,
    LETTERS,
    ORDERS,
    PAYMENTS,
    PRODUCTS,
    REVIEWS,
    STOCK,
)

pytestmark = pytest.mark.django_db

Place = Callable[..., Order]


@pytest.fixture
def place(ana: User, make_product: MakeProduct) -> Place:
    """Let Ana order two mugs, paid for unless it is by bank transfer."""

    def make(method: str = "card", *, paid: bool = True) -> Order:
        mug = make_product("Blue mug", price="9.50", stock=5)
        add_item(user_id=ana.id, product_id=mug.id, quantity=2)
        with atomic(Order, ana.id):
            order = services.place_order(user_id=ana.id, payment_method=method)
        if paid:
            payment = payment_of(order)
            receive(
                event_id=f"e{order.id}",
                kind="payment.succeeded",
                user_id=ana.id,
                payment_id=payment.id,
            )
        return order_of(ana.id, order.id)

    return make


def payment_of(order: Order) -> Payment:
    return payments_of_order(order.user_id, order.id).get()


def page_of(order: Order) -> str:
    return f"{ORDERS}{order.user_id}/{order.id}/"


def act(pages: Client, url: str, action: str, **fields: str) -> str:
    """Do something on a row's page, and return what the page then says."""
    form = {"action": action, **{f"{action}-{name}": value for name, value in fields.items()}}
    return pages.post(url, form, follow=True).content.decode()


def status(order: Order) -> str:
    return order_of(order.user_id, order.id).order_status


def test_an_order_is_found_by_number_customer_and_product(
    browser: Open, sue: User, place: Place, ana: User
) -> None:
    order, pages = place(), browser(sue)
    product_id = order.items.get().product_id
    for term in (order.id, "ana@example.com", "ANA", product_id, "blue-mug", "blue mug"):
        assert page_of(order) in pages.get(ORDERS, {"q": str(term)}).content.decode(), term
    for term in ("bo@example.com", UUID(int=7), "red-mug", "%00", "9" * 30):
        answer = pages.get(ORDERS, {"q": str(term)})
        assert answer.status_code == 200
        assert "Nothing was found." in answer.content.decode()
    assert page_of(order) in pages.get(ORDERS, {"show": "paid"}).content.decode()
    assert page_of(order) not in pages.get(ORDERS, {"show": "shipped"}).content.decode()
    assert page_of(order) not in pages.get(ORDERS).content.decode()


def test_a_list_goes_on_behind_its_last_row(
    browser: Open, sam: User, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.core.admin.desk.PER_PAGE", 2)
    ids = [
        DeadLetter.objects.create(user_id=ana.id, task="x.y", kwargs={}, error=str(n), tries=1).id
        for n in range(3)
    ]
    first = browser(sam).get(LETTERS, {"show": "all"}).content.decode()
    assert f"after={ids[1]}" in first
    assert str(ids[0]) not in first
    second = browser(sam).get(LETTERS, {"show": "all", "after": str(ids[1])}).content.decode()
    assert str(ids[0]) in second
    assert "Next page" not in second


def test_an_order_is_shipped_with_its_tracking_number_and_delivered(
    browser: Open, sue: User, place: Place
) -> None:
    order, pages = place(), browser(sue)
    said = act(pages, page_of(order), "ship", tracking_number="RR 123")
    assert "Shipped, with tracking number RR 123." in said
    assert status(order) == "shipped"
    event = OrderEvent.objects.for_user(order.user_id).get(status="shipped")
    assert event.details["tracking_number"] == "RR 123"
    told = OutboxEvent.objects.for_user(order.user_id).get(topic="order.shipped")
    assert told.payload["tracking_number"] == "RR 123"
    assert "tracking_number: RR 123" in said
    assert f"{event.created_at:%Y-%m-%d %H:%M} UTC" in said
    assert "<td>sue</td>" in said
    assert "it was Shipped" in act(pages, page_of(order), "deliver")
    assert status(order) == "delivered"


def test_an_order_is_cancelled_and_its_units_come_back(
    browser: Open, sue: User, place: Place
) -> None:
    order = place()
    product_id = order.items.get().product_id
    assert available(product_id) == 3
    assert "Cancelled; it was Paid." in act(browser(sue), page_of(order), "cancel")
    assert available(product_id) == 5
    assert payment_of(order).status == "refund_due"


def test_an_order_is_refunded(browser: Open, sue: User, place: Place) -> None:
    order = place()
    assert "Refunded; it was Paid." in act(browser(sue), page_of(order), "refund")
    assert (status(order), payment_of(order).status) == ("refunded", "refund_due")


def test_what_cannot_be_done_any_more_says_so_and_does_nothing(
    browser: Open, sue: User, place: Place
) -> None:
    order, pages = place(), browser(sue)
    act(pages, page_of(order), "cancel")
    assert "cannot be done to it any more" in act(pages, page_of(order), "ship")
    assert "cannot be done to it any more" in act(pages, page_of(order), "nonsense")
    assert status(order) == "cancelled"


def test_a_bank_transfer_is_received_and_paid_out_by_hand(
    browser: Open, sue: User, place: Place
) -> None:
    order, pages = place("bank_transfer", paid=False), browser(sue)
    url = f"{PAYMENTS}{order.user_id}/{payment_of(order).id}/"
    assert url in pages.get(PAYMENTS, {"show": "transfers"}).content.decode()
    said = act(pages, url, "receive", reference="SEPA 7")
    assert "Received 19.00 by bank transfer, reference SEPA 7." in said
    assert (status(order), payment_of(order).status) == ("paid", "succeeded")
    assert "goes back to the customer" in act(pages, url, "refund")
    assert url in pages.get(PAYMENTS, {"show": "due"}).content.decode()
    assert "Paid 19.00 out." in act(pages, url, "pay-out")
    assert payment_of(order).status == "refunded"


def test_a_payment_is_found_by_number_and_customer(browser: Open, sue: User, place: Place) -> None:
    payment = payment_of(place())
    for term in (payment.id, "ana@example.com"):
        assert str(payment.id) in browser(sue).get(PAYMENTS, {"q": str(term)}).content.decode()


def test_a_review_is_looked_at_and_removed(
    browser: Open, sue: User, ana: User, make_product: MakeProduct
) -> None:
    mug = make_product("Mug")
    review = Review.objects.create(
        product=mug, user_id=ana.id, author_name="Ana", rating=1, comment="<b>spam</b>"
    )
    pages, url = browser(sue), f"{REVIEWS}{mug.id}/{review.id}/"
    for query in ({"q": str(mug.id)}, {"q": "mug"}, {"show": "1"}, {"show": "all"}):
        assert url in pages.get(REVIEWS, query).content.decode()
    assert "&lt;b&gt;spam&lt;/b&gt;" in pages.get(url).content.decode()
    assert "Removed the review" in act(pages, url, "remove")
    assert not Review.objects.for_product(mug.id).exists()
    assert pages.get(url).status_code == 404


def test_an_endpoint_is_made_changed_and_removed_and_its_secret_shown_once(
    browser: Open, sam: User
) -> None:
    pages = browser(sam)
    form = {"url": "https://93.184.216.34/hook", "topics": ["order.paid"], "is_active": "on"}
    made = pages.post(f"{ENDPOINTS}add/", form, follow=True).content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in made
    url = f"{ENDPOINTS}{endpoint.pk}/change/"
    assert endpoint.secret not in pages.get(url).content.decode()
    pages.post(url, {**form, "topics": ["order.paid", "order.placed"]})
    endpoint.refresh_from_db()
    assert endpoint.topics == ["order.paid", "order.placed"]
    bad = pages.post(url, {**form, "url": "http://10.0.0.1/"}, follow=True).content.decode()
    assert 'class="error' in bad
    pages.post(f"{ENDPOINTS}{endpoint.pk}/delete/", {"post": "yes"})
    assert not WebhookEndpoint.objects.exists()


def test_a_delivery_is_found_by_its_state_and_sent_again(
    browser: Open, sam: User, place: Place
) -> None:
    endpoint = webhooks.create_endpoint(url="https://93.184.216.34/", topics=["order.placed"])
    order = place()
    webhooks.record(OutboxEvent.objects.for_user(order.user_id).get(topic="order.placed"))
    own = WebhookDelivery.objects.for_user(order.user_id)
    own.update(status="failed", due_at=None, tries=9)
    delivery, pages = own.get(), browser(sam)
    url = f"{DELIVERIES}{order.user_id}/{delivery.id}/"
    assert url in pages.get(DELIVERIES, {"show": "failed"}).content.decode()
    assert url not in pages.get(DELIVERIES, {"show": "delivered"}).content.decode()
    assert url in pages.get(DELIVERIES, {"q": str(endpoint.pk)}).content.decode()
    assert "sent again" in act(pages, url, "replay")
    assert own.get().status == "pending"


@pytest.mark.parametrize(("action", "said"), [("drop", "Dropped"), ("replay", "It stays")])
def test_a_dead_letter_is_dropped_or_run_again(
    browser: Open, sam: User, action: str, said: str
) -> None:
    letter = DeadLetter.objects.create(
        user_id=DeadLetter.NOBODY, task="no.such_task", kwargs={}, error="x", tries=3
    )
    url = f"{LETTERS}{letter.user_id}/{letter.id}/"
    assert said in act(browser(sam), url, action)
    assert DeadLetter.objects.for_user(DeadLetter.NOBODY).exists() == (action == "replay")


@pytest.mark.parametrize("path", ["", f"{UUID(int=1)}/{UUID(int=2)}/", f"x/{UUID(int=2)}/"])
def test_who_keeps_the_catalog_sees_no_orders(browser: Open, cat: User, path: str) -> None:
    assert browser(cat).get(f"{ORDERS}{path}").status_code == 403
    assert browser(cat).post(f"{ORDERS}{path}", {"action": "cancel"}).status_code == 403


@pytest.mark.parametrize("path", [f"{UUID(int=1)}/{UUID(int=2)}/", f"x/{UUID(int=2)}/"])
def test_a_row_that_is_not_there_is_not_found(browser: Open, sam: User, path: str) -> None:
    for base in (ORDERS, PAYMENTS, REVIEWS, DELIVERIES, LETTERS):
        assert browser(sam).get(f"{base}{path}").status_code == 404


@pytest.mark.parametrize("price", ["18,50", "1,850.00", "1_850.00", "1e3", "١٨.٥٠", "18.5.0"])
def test_a_price_with_another_sign_is_refused_in_words(
    browser: Open, cat: User, make_product: MakeProduct, price: str
) -> None:
    """In an English browser, a number field sends 18,50 as 1850."""
    mug, pages = make_product("Mug"), browser(cat)
    url = f"{PRODUCTS}{mug.pk}/change/"
    assert 'type="number"' not in pages.get(url).content.decode()
    form = {"name": "Mug", "slug": "mug", "price": price, "category": mug.category_id}
    answer = pages.post(url, {**form, "status": "active"})
    assert "with a point before the decimals" in answer.content.decode()
    mug.refresh_from_db()
    assert mug.price == Decimal("10.00")


@pytest.mark.parametrize("delta", ["1,5", "1.5", "1.000", "1_000", "١"])
def test_units_with_another_sign_are_refused_in_words(
    browser: Open, cat: User, make_product: MakeProduct, delta: str
) -> None:
    url = f"{STOCK}{make_product('Mug').pk}/change/"
    answer = browser(cat).post(url, {"delta": delta, "reason": "receipt"})
    assert "without a point or a comma" in answer.content.decode()


def test_the_history_says_what_was_changed_from_what_to_what(
    browser: Open, cat: User, make_product: MakeProduct
) -> None:
    mug, pages = make_product("Mug"), browser(cat)
    form: dict[str, Any] = {
        "name": "Mug",
        "slug": "mug",
        "price": "12.50",
        "category": mug.category_id,
        "status": "archived",
        "track_inventory": "on",
    }
    assert pages.post(f"{PRODUCTS}{mug.pk}/change/", form).status_code == 302
    history = pages.get(f"{PRODUCTS}{mug.pk}/history/").content.decode()
    assert "Changed price from 10.00 to 12.50; status from active to archived." in history
    assert pages.get(PRODUCTS, {"status": "archived"}).content.decode().count("field-name") == 1
    assert "field-name" in pages.get(PRODUCTS, {"q": str(mug.pk)}).content.decode()
