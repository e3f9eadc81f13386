"""What the checkout refuses, besides what the inventory and the states of things do.

CartEmpty, PriceChanged, TooManyUnpaidOrders, PaymentNotDue, NotATransfer, RefundUnderWay,
ProductUnavailable (409) ·
PartialRefund (422)
"""

from http import HTTPStatus

from shop.core.errors import Conflict, DomainError


class CartEmpty(Conflict):
    """There is nothing to order, or it was ordered a moment ago."""

    code = "cart_empty"


class TooManyUnpaidOrders(Conflict):
    """Their user has to pay or cancel some of them first: each holds stock."""

    code = "too_many_unpaid_orders"


class PriceChanged(Conflict):
    """The cart costs something else than the customer has seen; `total_amount` says what."""

    code = "price_changed"


class PaymentNotDue(Conflict):
    """The order is not waiting for money, or a payment of it is under way or made."""

    code = "payment_not_due"


class NotATransfer(Conflict):
    """Its money comes through the gateway, which alone tells of it."""

    code = "not_a_transfer"


class RefundUnderWay(Conflict):
    """The gateway is sending this money back; paid out by hand it would go twice."""

    code = "refund_under_way"


class ProductUnavailable(Conflict):
    """Something in the cart is not for sale any more; `lines` names each of these products."""

    code = "product_unavailable"


class PartialRefund(DomainError):
    """Payments are refunded in full or not at all."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "partial_refund"
