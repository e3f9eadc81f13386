"""Writing payments."""

from decimal import Decimal
from uuid import UUID

from shop.payments.models import Payment


def create_payment(
    *, user_id: UUID, order_id: UUID, amount: Decimal, payment_method: str, token: str = ""
) -> Payment:
    """Record what is due for an order, in the order's own transaction."""
    return Payment.objects.create(
        user_id=user_id,
        order_id=order_id,
        amount=amount,
        payment_method=payment_method,
        token=token,
    )
