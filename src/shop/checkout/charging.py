"""Asking the gateway for money, and giving it back.

Invariant: the gateway is called outside any transaction, and under the payment's id, so that it
charges once however often this runs. Before each call the payment says that it may be known there
(`asked_at`); whoever finds that said asks how it stands before asking for money again. What the
gateway does not know of is no news for some time: `standing_of` alone says when it is.

What the gateway answers goes the way of its events (`checkout.webhook.receive`): the answer, the
event and a repetition of either have one effect. That also covers the order that is cancelled
while the money moves: its payment has failed by then, and the late money is sent back.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from shop.checkout.webhook import receive
from shop.core.db import retrying
from shop.payments import gateways
from shop.payments.gateways.base import GatewayRefused, GatewayUnavailable, Report, Standing
from shop.payments.models import Payment
from shop.payments.selectors import payment_of, payments_of_order
from shop.payments.services import begin_charging, remember

# A charge may be on its way for so long, or be made and not found yet: Stripe's search lags a
# minute, and longer during an outage. https://docs.stripe.com/search#data-freshness
IN_DOUBT = timedelta(minutes=10)

EVENTS = {
    Standing.SUCCEEDED: "payment.succeeded",
    Standing.DECLINED: "payment.failed",
    Standing.REFUNDED: "payment.refunded",
}


def charge_order(*, user_id: UUID, order_id: UUID) -> None:
    """Charge what is due for an order; raises as `charge` does."""
    for payment in payments_of_order(user_id, order_id):
        charge(user_id=user_id, payment_id=payment.id)


def charge(*, user_id: UUID, payment_id: UUID) -> None:
    """Charge a payment, unless it is settled or comes by bank transfer, and settle it.

    Raises:
        NotFound: the user has no such payment.
        GatewayUnavailable: the gateway does not say how it stands; call this again later.
        GatewayRefused: it never will.
    """
    payment = payment_of(user_id, payment_id)
    if payment.payment_method == Payment.Method.BANK_TRANSFER:
        return
    if payment.status == Payment.Status.PENDING:
        settle(payment, _charged(payment))
    # Given up while an earlier run of this was asking for it.
    elif payment.status == Payment.Status.FAILED and payment.asked_at:
        settle(payment, standing_of(payment))


def standing_of(payment: Payment, *, now: datetime | None = None) -> Report:
    """Ask the gateway how a payment stands.

    Returns:
        UNKNOWN also for what the gateway does not know of while that may change: ABSENT is final.

    Raises:
        GatewayRefused: the request is wrong.
    """
    report = _report(payment)
    doubtful = payment.asked_at and payment.asked_at + IN_DOUBT > (now or timezone.now())
    if report.standing == Standing.ABSENT and doubtful:
        return report._replace(standing=Standing.UNKNOWN)
    return report


def _report(payment: Payment) -> Report:
    return gateways.current().status(payment_id=payment.id, provider_ref=payment.provider_ref)


def _charged(payment: Payment) -> Report:
    # Absent or only not found yet: asked again under its key, it is charged once.
    if payment.asked_at and (report := _report(payment)).standing != Standing.ABSENT:
        return report
    if not begin_charging(payment):
        return Report(Standing.UNKNOWN)  # the next run sees what has changed
    report = gateways.current().charge(
        payment_id=payment.id,
        user_id=payment.user_id,
        amount=payment.amount,
        currency=settings.CURRENCY,
        method=payment.payment_method,
        token=payment.token,
    )
    return report if report.standing != Standing.UNKNOWN else standing_of(payment)


def settle(payment: Payment, report: Report) -> None:
    """Bring a payment and its order into line with what the gateway says.

    Raises:
        GatewayUnavailable: it says nothing.
    """
    remember(payment, report.provider_ref)
    if report.standing == Standing.UNKNOWN:
        raise GatewayUnavailable(f"Nobody knows how payment {payment.id} stands.")
    if kind := EVENTS.get(report.standing):
        retrying(
            lambda: receive(
                event_id=f"{kind}:{payment.id}",
                kind=kind,
                user_id=payment.user_id,
                payment_id=payment.id,
            )
        )


def refund(*, user_id: UUID, payment_id: UUID) -> None:
    """Have the gateway send a payment's money back, and note when it has.

    A bank transfer stays due until somebody has paid it out (`shop.checkout.by_hand`).

    Raises:
        NotFound: the user has no such payment.
        GatewayUnavailable: it has not sent it back yet, does not say whether it did, or does not
            find the money that our books say it has; call this again later.
        GatewayRefused: it never will.
    """
    payment = payment_of(user_id, payment_id)
    if payment.payment_method == Payment.Method.BANK_TRANSFER or payment.paid_out_at:
        return
    report = gateways.current().refund(payment_id=payment.id, provider_ref=payment.provider_ref)
    if report.standing == Standing.DECLINED:
        raise GatewayRefused(f"The gateway has declined payment {payment.id}: it has no money.")
    if report.standing != Standing.REFUNDED:
        raise GatewayUnavailable(f"Payment {payment.id} is not refunded yet: {report.standing}.")
    settle(payment, report)
