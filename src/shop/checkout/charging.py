"""Asking the gateway for money, and giving it back.

Invariant: the gateway is called outside any transaction, and under the payment's id, so that it
charges once however often this runs. Before the first call the payment says that it may be known
there (`asked_at`); whoever finds that said asks how it stands before asking for money again.

What the gateway answers goes the way of its events (`checkout.webhook.receive`): the answer, the
event and a repetition of either have one effect. That also covers the order that is cancelled
while the money moves: its payment has failed by then, and the late money is sent back.
"""

from uuid import UUID

from django.conf import settings

from shop.checkout.webhook import receive
from shop.core.db import retrying
from shop.payments import gateways
from shop.payments.gateways.base import GatewayRefused, GatewayUnavailable, Standing
from shop.payments.models import Payment
from shop.payments.selectors import payment_of, payments_of_order
from shop.payments.services import begin_charging

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
        settle(payment, gateways.current().status(payment_id=payment.id))


def _charged(payment: Payment) -> Standing:
    gateway = gateways.current()
    standing = Standing.ABSENT
    if not begin_charging(payment):
        standing = gateway.status(payment_id=payment.id)
    if standing == Standing.ABSENT:
        standing = gateway.charge(
            payment_id=payment.id,
            user_id=payment.user_id,
            amount=payment.amount,
            currency=settings.CURRENCY,
            method=payment.payment_method,
            token=payment.token,
        )
        if standing == Standing.UNKNOWN:
            standing = gateway.status(payment_id=payment.id)
        if standing == Standing.ABSENT:  # it may still be on its way
            standing = Standing.UNKNOWN
    return standing


def settle(payment: Payment, standing: Standing) -> None:
    """Bring a payment and its order into line with what the gateway says.

    Raises:
        GatewayUnavailable: it says nothing.
    """
    if standing == Standing.UNKNOWN:
        raise GatewayUnavailable(f"Nobody knows how payment {payment.id} stands.")
    if kind := EVENTS.get(standing):
        retrying(
            lambda: receive(
                event_id=f"{kind}:{payment.id}",
                kind=kind,
                user_id=payment.user_id,
                payment_id=payment.id,
            )
        )


def refund(*, user_id: UUID, payment_id: UUID) -> None:
    """Have the gateway send a payment's money back; nothing happens for a bank transfer.

    Raises:
        NotFound: the user has no such payment.
        GatewayUnavailable: the gateway does not say whether it did; call this again later.
        GatewayRefused: it never will, or it has no such money.
    """
    payment = payment_of(user_id, payment_id)
    if payment.payment_method == Payment.Method.BANK_TRANSFER:
        return
    standing = gateways.current().refund(payment_id=payment.id)
    if standing == Standing.UNKNOWN:
        raise GatewayUnavailable(f"Nobody knows whether payment {payment.id} is refunded.")
    if standing != Standing.REFUNDED:
        raise GatewayRefused(f"The gateway has no money of payment {payment.id}: it is {standing}.")
