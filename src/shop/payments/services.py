"""Writing payments."""

from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from sharding.django.transactions import cursor_for
from sharding.ids import new_id_of
from shop.payments.amounts import limits
from shop.payments.errors import AmountNotPayable
from shop.payments.models import Payment, WebhookEvent

# One of two simultaneous messages of one event waits for the other, and then writes no row.
RECORD = """
INSERT INTO {events} (user_id, event_id, type, payment_id, created_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT (user_id, event_id) DO NOTHING
"""


def create_payment(
    *, user_id: UUID, order_id: UUID, amount: Decimal, payment_method: str, token: str = ""
) -> Payment:
    """Record what is due for an order, in the order's own transaction.

    Raises:
        AmountNotPayable: the gateway would not take it.
    """
    if amount and payment_method != Payment.Method.BANK_TRANSFER:
        _require_payable(amount)
    return Payment.objects.create(
        user_id=user_id,
        id=new_id_of(user_id),
        order_id=order_id,
        amount=amount,
        payment_method=payment_method,
        token=token,
    )


def _require_payable(amount: Decimal) -> None:
    currency = settings.CURRENCY
    least, step = limits(settings.PAYMENT_GATEWAY, currency)
    if amount < least or amount % step:
        raise AmountNotPayable(
            f"{amount} {currency} cannot be paid so: at least {least}, in steps of {step}.",
            minimum=str(least),
            step=str(step),
            currency=currency,
        )


def begin_charging(payment: Payment) -> bool:
    """Remember that the gateway is being asked for a payment; commits before it is.

    Returns:
        False if it is not to be asked: nobody wants the money any more, or another process asked
        for it since this one has read the payment.
    """
    own = Payment.objects.for_user(payment.user_id).filter(id=payment.id, asked_at=payment.asked_at)
    payment.asked_at = timezone.now()
    return own.filter(status=Payment.Status.PENDING).update(asked_at=payment.asked_at) == 1


def remember(payment: Payment, provider_ref: str) -> None:
    """Keep what the gateway calls a payment: from now on it is asked by this."""
    if provider_ref not in ("", payment.provider_ref):
        own = Payment.objects.for_user(payment.user_id).filter(id=payment.id)
        own.update(provider_ref=provider_ref)
        payment.provider_ref = provider_ref


def record_event(*, user_id: UUID, event_id: str, kind: str, payment_id: UUID) -> bool:
    """Remember an event of the gateway, in the transaction of its effect.

    Returns:
        False if it was remembered before: it has had its effect.
    """
    row = (user_id, event_id, kind, payment_id, timezone.now())
    with cursor_for(WebhookEvent, user_id) as cursor:
        cursor.execute(RECORD.format(events=WebhookEvent._meta.db_table), row)
        return bool(cursor.rowcount)
