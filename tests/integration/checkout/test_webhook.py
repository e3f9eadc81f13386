"""What the payment gateway tells, in any order and any number of times."""

from itertools import permutations
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction

from shop.accounts.models import User
from shop.checkout import services
from shop.core.states import InvalidTransition
from shop.inventory.selectors import drift
from shop.payments.models import Payment
from tests.integration.checkout.state import history_of, payments_of, status_of, topics_of
from tests.integration.core.concurrency import PATIENCE, beside

pytestmark = pytest.mark.django_db


def cancel(user: User, order_id: str) -> None:
    with transaction.atomic():
        services.cancel_order(user_id=user.id, order_id=order_id, check=lambda _: None)


def test_a_success_pays_the_order(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    assert tell(payment, "succeeded")
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("paid", ["succeeded"])
    assert history_of(ana) == [("paid", {"by": "gateway"})]
    assert topics_of(ana) == ["order.paid"]


def test_a_failure_leaves_the_order_pending(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    tell(payment, "failed")
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("pending", ["failed"])
    assert topics_of(ana) == ["payment.failed"]


def test_a_refund_ends_the_order(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    tell(payment, "succeeded")
    tell(payment, "refunded")
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("refunded", ["refunded"])
    assert topics_of(ana) == ["order.paid", "order.refunded"]


def test_money_for_a_cancelled_order_goes_back_once(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    cancel(ana, placed["id"])
    for _ in range(3):
        tell(payment, "succeeded")
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("cancelled", ["refund_due"])
    assert topics_of(ana) == ["order.cancelled", "payment.refund_due"]
    late = {"money_back": str(payment.id), "by": "gateway"}
    assert history_of(ana)[-1] == ("cancelled", late)
    tell(payment, "refunded")
    assert payments_of(ana) == ["refunded"]


def test_money_that_is_back_already_is_not_sent_back(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    cancel(ana, placed["id"])
    tell(payment, "refunded")
    tell(payment, "succeeded")
    assert payments_of(ana) == ["refunded"]
    assert topics_of(ana) == ["order.cancelled"]


def test_money_of_a_payment_that_was_given_up_goes_back(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    tell(payment, "failed")
    with transaction.atomic():
        second = services.pay_order(user_id=ana.id, order_id=placed["id"], payment_method="card")
    tell(second, "succeeded")
    tell(payment, "succeeded")
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("paid", ["refund_due", "succeeded"])
    assert topics_of(ana)[-1] == "payment.refund_due"


def test_a_failure_after_the_success_changes_nothing(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    tell(payment, "succeeded")
    tell(payment, "failed")
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("paid", ["succeeded"])


@pytest.mark.parametrize("told", sorted(set(permutations(["succeeded", "refunded"] * 2))))
def test_success_and_refund_end_alike_in_any_order(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, told: list[str]
) -> None:
    for what in told:
        tell(payment, what)
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("refunded", ["refunded"])
    assert [status for status, _ in history_of(ana)] == ["paid", "refunded"]
    assert topics_of(ana) == ["order.paid", "order.refunded"]


@pytest.mark.parametrize("told", list(permutations(["succeeded", "failed", "refunded"])))
def test_no_order_of_events_is_an_error(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, told: list[str]
) -> None:
    assert all(tell(payment, what) for what in told)
    ended = (status_of(ana, placed["id"]), *payments_of(ana))
    # Money of a payment that had failed goes back, and its order waits for another one.
    assert ended in {("refunded", "refunded"), ("pending", "refunded")}


@pytest.mark.django_db(transaction=True)
def test_one_event_told_many_times_at_once_has_one_effect(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    start = Barrier(8, timeout=PATIENCE)

    def told() -> bool:
        start.wait()
        return bool(tell(payment, "succeeded", "evt_1"))

    with beside(*[told] * 8) as answers:
        pass
    assert [answer.result() for answer in answers].count(True) == 1
    assert (status_of(ana, placed["id"]), topics_of(ana)) == ("paid", ["order.paid"])


@pytest.mark.django_db(transaction=True)
def test_cancelled_by_many_and_paid_at_once_it_is_cancelled_once_and_the_money_goes_back(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    start = Barrier(9, timeout=PATIENCE)

    def give_up() -> bool:
        start.wait()
        try:
            cancel(ana, placed["id"])
        except InvalidTransition:
            return False
        return True

    def pay() -> bool:
        start.wait()
        return bool(tell(payment, "succeeded"))

    with beside(*[give_up] * 8, pay) as (*cancels, paid):
        pass
    assert [done.result() for done in cancels].count(True) == 1
    assert paid.result()
    assert status_of(ana, placed["id"]) == "cancelled"
    assert payments_of(ana) == ["refund_due"]
    assert topics_of(ana).count("order.cancelled") == 1
    assert topics_of(ana).count("payment.refund_due") == 1
    assert drift() == []
