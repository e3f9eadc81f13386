"""The caller's payments. Paying and refunding are the checkout's business."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.core.api import caller_id
from shop.payments import selectors
from shop.payments.api.serializers import PaymentSerializer
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
