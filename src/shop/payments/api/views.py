"""The caller's payments, and everybody's refunds for staff. What changes them is the checkout's."""

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.core.api import caller_id, parameters
from shop.core.permissions import OrderStaff
from shop.payments import selectors
from shop.payments.api.serializers import (
    PaymentSerializer,
    RefundFilterSerializer,
    StaffPaymentSerializer,
)
from shop.payments.models import Payment


class PaymentListView(generics.ListAPIView[Payment]):
    """The caller's payments, the newest first."""

    serializer_class = PaymentSerializer

    def get_queryset(self) -> QuerySet[Payment]:
        return selectors.payments_of(caller_id(self.request))

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)  # a UUIDv7 begins with its time


class PaymentView(APIView):
    """One payment."""

    def get(self, request: Request, payment_id: UUID) -> Response:
        payment = selectors.payment_of(caller_id(request), payment_id)
        return Response(PaymentSerializer(payment).data)


class StaffRefundListView(generics.ListAPIView[Payment]):
    """The payments of all users whose money has to go back, the oldest first.

    The X-Shards-Asked header says how many shards the answer took: one with `user_id`, else all.
    """

    permission_classes = [OrderStaff]
    serializer_class = StaffPaymentSerializer
    query_serializer = RefundFilterSerializer

    def get_queryset(self) -> QuerySet[Payment]:
        return selectors.refunds_due(self._filters())

    def get_ordering(self) -> tuple[str, ...]:
        return ("id",)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        response["X-Shards-Asked"] = str(selectors.shards_asked(self._filters()))
        return response

    def _filters(self) -> selectors.Filters:
        filters = parameters(self.query_serializer, self.request.query_params.dict())
        return cast("selectors.Filters", filters)
