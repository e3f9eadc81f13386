"""Customers hear of their orders, once."""

from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core import outbox
from shop.core.models import OutboxEvent
from shop.core.tasks import consume_now
from shop.notifications import tasks
from shop.notifications.models import SentMail
from shop.notifications.services import AddressDeferred, AddressRefused, send_once
from shop.orders.models import Order
from shop.orders.services import Line, create_order
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(ana: User, make_product: MakeProduct) -> Order:
    """Ana's order: 2 × <Atlas> at 30.00."""
    atlas = make_product("<Atlas>", price="30.00")
    line = Line(atlas.id, atlas.name, 2, atlas.price)
    return create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[line])


def told(order: Order, topic: str, **payload: Any) -> OutboxEvent:
    payload = {"order_id": str(order.id), **payload}
    return outbox.publish(user_id=order.user_id, topic=topic, payload=payload)


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def send(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise error

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)


def test_an_accepted_order_is_confirmed_with_its_lines(order: Order, ana: User) -> None:
    consume_now(tasks.confirm_order, told(order, "order.placed"))
    (sent,) = mail.outbox
    assert sent.to == [ana.email]
    assert str(order.id) in sent.subject
    assert "2 × <Atlas> at 30.00" in sent.body
    assert "Total: 60.00" in sent.body
    ((html, kind),) = sent.alternatives
    assert kind == "text/html"
    assert "&lt;Atlas&gt;" in html
    assert "<Atlas>" not in html


def test_the_same_confirmation_is_sent_once_whatever_event_asks(order: Order) -> None:
    for _ in range(3):
        consume_now(tasks.confirm_order, told(order, "order.placed"))
    assert len(mail.outbox) == 1


def test_a_mail_has_the_same_message_id_whenever_it_is_sent(order: Order) -> None:
    consume_now(tasks.confirm_order, told(order, "order.placed"))
    SentMail.objects.for_user(order.user_id).delete()  # as if the commit had been lost
    consume_now(tasks.confirm_order, told(order, "order.placed"))
    ids = {message.message()["Message-ID"] for message in mail.outbox}
    assert ids == {f"<order_confirmation.{order.id}@shardmart.example>"}


def test_each_failed_payment_is_told_once(order: Order) -> None:
    for payment in (UUID(int=1), UUID(int=2), UUID(int=1)):
        event = told(order, "payment.failed", payment_id=str(payment), amount="60.00")
        consume_now(tasks.tell_payment_failed, event)
    assert len(mail.outbox) == 2
    assert "your payment of 60.00 was not accepted" in mail.outbox[0].body


def test_a_shipped_order_is_told(order: Order) -> None:
    consume_now(tasks.tell_shipped, told(order, "order.shipped"))
    assert "on its way" in mail.outbox[0].subject


def test_what_the_mail_server_did_not_take_is_not_recorded(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, SMTPServerDisconnected("gone"))
    with pytest.raises(SMTPServerDisconnected):
        consume_now(tasks.confirm_order, told(order, "order.placed"))
    assert not SentMail.objects.for_user(order.user_id).exists()


@pytest.mark.parametrize(("code", "error"), [(550, AddressRefused), (450, AddressDeferred)])
def test_an_address_refused_for_good_is_not_tried_again(
    order: Order, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    fail_with(monkeypatch, SMTPRecipientsRefused({"ana@example.com": (code, b"no")}))
    with pytest.raises(error, match=str(code)) as raised:
        consume_now(tasks.confirm_order, told(order, "order.placed"))
    assert "ana@" not in str(raised.value)


def test_who_has_deleted_the_account_gets_no_mail(order: Order, ana: User) -> None:
    User.objects.for_user(ana.id).update(deleted_at=timezone.now())
    consume_now(tasks.confirm_order, told(order, "order.placed"))
    assert mail.outbox == []


def test_it_tells_whether_it_sent(order: Order) -> None:
    what = {"user_id": order.user_id, "kind": "shipped", "order_id": order.id}
    assert send_once(**what)
    assert not send_once(**what)


def test_the_rooms_topics_are_heard(order: Order) -> None:
    assert "notifications.confirm_order" in outbox.subscribers("order.placed")
    assert "notifications.tell_payment_failed" in outbox.subscribers("payment.failed")
    assert "notifications.tell_shipped" in outbox.subscribers("order.shipped")


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("unpaid", "your order is cancelled: its payment did not succeed in time."),
        ("customer", "your order is cancelled, as you have asked."),
        ("staff", "your order is cancelled."),
    ],
)
def test_who_has_an_order_cancelled_is_told_why_and_that_money_goes_back(
    order: Order, by: str, why: str
) -> None:
    order.become(Order.Status.CANCELLED, by=by)
    for _ in range(2):
        consume_now(tasks.tell_cancelled, told(order, "order.cancelled"))
    (sent,) = mail.outbox
    assert sent.subject == f"Your order {order.id} is cancelled"
    assert why in sent.body
    assert "Whatever you have paid for it goes back to you." in sent.body


def test_cancelling_is_told_to_the_customer() -> None:
    assert tasks.tell_cancelled.name in outbox.subscribers("order.cancelled")
