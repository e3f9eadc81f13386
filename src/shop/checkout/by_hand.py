"""Money that moves past the gateway: what a person has received, and what one has paid out.

Each of these belongs into the caller's transaction, that of the Idempotency-Key.
"""

from uuid import UUID

from django.utils import timezone

from shop.checkout import settling
from shop.checkout.errors import NotATransfer, RefundUnderWay
from shop.checkout.selectors import refund_is_under_way
from shop.orders.services import lock_order, note
from shop.payments.models import Payment
from shop.payments.selectors import payment_of

Status = Payment.Status


def receive_transfer(
    *, user_id: UUID, payment_id: UUID, staff_id: UUID, reference: str = ""
) -> Payment:
    """Note that the money of a bank transfer has come: the order is paid.

    If the order was cancelled meanwhile, or is paid otherwise, the money has to go back: the
    payment is `refund_due`.

    Args:
        reference: what finds the booking at the bank, for the order's history.

    Raises:
        NotFound: the user has no such payment.
        NotATransfer: the gateway is who tells of this payment.
        InvalidTransition: the money came before.
    """
    order = lock_order(user_id, payment_of(user_id, payment_id).order_id)
    payment = payment_of(user_id, payment_id)  # as it is behind the lock
    if payment.payment_method != Payment.Method.BANK_TRANSFER:
        raise NotATransfer("This payment does not come by bank transfer.")
    payment.refuse_unless(Status.PENDING, Status.FAILED, to=Status.SUCCEEDED)
    settling.money_came(order, payment, **_by(staff_id, reference))
    return payment


def mark_paid_out(
    *, user_id: UUID, payment_id: UUID, staff_id: UUID, reference: str = ""
) -> Payment:
    """Note that somebody has sent the money of a payment back, past the gateway: it is refunded.

    Args:
        reference: what finds the booking at the bank, for the order's history.

    Raises:
        NotFound: the user has no such payment.
        InvalidTransition: no money has to go back.
        RefundUnderWay: the gateway is sending it back.
    """
    order = lock_order(user_id, payment_of(user_id, payment_id).order_id)
    payment = payment_of(user_id, payment_id)  # as it is behind the lock
    payment.refuse_unless(Status.REFUND_DUE, to=Status.REFUNDED)
    if payment.payment_method != Payment.Method.BANK_TRANSFER and refund_is_under_way(payment):
        raise RefundUnderWay("The gateway is sending this money back; it would go twice.")
    payment.become(Status.REFUNDED, paid_out_at=timezone.now())
    note(order, paid_out=str(payment.id), **_by(staff_id, reference))
    return payment


def _by(staff_id: UUID, reference: str) -> dict[str, str]:
    who = {"by": "staff", "staff_id": str(staff_id)}
    return who | ({"reference": reference} if reference else {})
