"""Orders and payments in the hands of staff."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.checkout import by_hand, selectors, services
from shop.checkout.api.serializers import (
    ByHandSerializer,
    OrderStatusSerializer,
    RefundSerializer,
    StaffOrderSerializer,
)
from shop.core.api import caller_id, idempotent, validated
from shop.core.conditional import require_match
from shop.core.db import retrying
from shop.core.deprecation import Deprecated
from shop.core.idempotency import Answer
from shop.core.permissions import OrderStaff
from shop.orders.models import Order
from shop.payments.api.serializers import PaymentSerializer, StaffPaymentSerializer
from shop.payments.models import Payment


class StaffOrderView(APIView):
    """One order of any user, with its payments and its history."""

    if_match = ("PATCH",)

    permission_classes = [OrderStaff]

    def get(self, request: Request, order_id: UUID, user_id: UUID | None = None) -> Response:
        return Response(_shown(user_id or selectors.owner_of_order(order_id), order_id))

    def patch(self, request: Request, order_id: UUID, user_id: UUID | None = None) -> Response:
        wanted = validated(OrderStatusSerializer, request.data)
        owner = user_id or selectors.owner_of_order(order_id)

        def check(order: Order) -> None:
            if "If-Match" in request.headers:
                require_match(request, _shown(owner, order_id))

        retrying(
            lambda: services.set_order_status(
                user_id=owner,
                order_id=order_id,
                status=wanted["order_status"],
                staff_id=caller_id(request),
                check=check,
            )
        )
        return Response(_shown(owner, order_id))


class StaffOrderOfUserView(Deprecated, StaffOrderView):
    """The same where its user is named; from when a number alone did not lead to an order."""


class RefundView(APIView):
    """Refunding a payment. It lies on its owner's shard, which its id tells."""

    permission_classes = [OrderStaff]

    def post(self, request: Request, payment_id: UUID) -> Response:
        wanted = _with_owner(validated(RefundSerializer, request.data), payment_id)

        def work() -> Answer:
            payment = services.refund_payment(
                payment_id=payment_id, staff_id=caller_id(request), **wanted
            )
            return Answer(200, PaymentSerializer(payment).data)

        return idempotent(request, work)


class ByHandView(APIView):
    """What staff say of money that moved past the gateway; the subclass says what."""

    permission_classes = [OrderStaff]
    service: Callable[..., Payment]

    def post(self, request: Request, payment_id: UUID) -> Response:
        wanted = _with_owner(validated(ByHandSerializer, request.data), payment_id)

        def work() -> Answer:
            payment = self.service(payment_id=payment_id, staff_id=caller_id(request), **wanted)
            return Answer(200, StaffPaymentSerializer(payment).data)

        return idempotent(request, work)


class ReceivedView(ByHandView):
    """The money of a bank transfer has come."""

    service = staticmethod(by_hand.receive_transfer)


class PaidOutView(ByHandView):
    """Somebody has sent the money of a payment back."""

    service = staticmethod(by_hand.mark_paid_out)


def _with_owner(wanted: dict[str, Any], payment_id: UUID) -> dict[str, Any]:
    """Return what is wanted of a payment, and whose it is: the request need not say."""
    owner = wanted.get("user_id") or selectors.owner_of_payment(payment_id)
    return {**wanted, "user_id": owner}


def _shown(user_id: UUID, order_id: UUID) -> object:
    return StaffOrderSerializer(selectors.order_for_staff(user_id, order_id)).data
