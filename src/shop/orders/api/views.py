"""The caller's orders. Placing one is the checkout's business."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.core.api import caller_id
from shop.orders import selectors
from shop.orders.api.serializers import OrderItemSerializer, OrderSerializer
from shop.orders.models import Order


class OrderListView(generics.ListAPIView[Order]):
    """The caller's orders, the newest first."""

    serializer_class = OrderSerializer

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.orders_of(caller_id(self.request))

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)  # a UUIDv7 begins with its time


class OrderView(APIView):
    """One order."""

    def get(self, request: Request, order_id: UUID) -> Response:
        return Response(OrderSerializer(selectors.order_of(caller_id(request), order_id)).data)


class OrderItemListView(APIView):
    """The lines of one order."""

    def get(self, request: Request, order_id: UUID) -> Response:
        order = selectors.order_of(caller_id(request), order_id)
        return Response(OrderItemSerializer(order.items.all(), many=True).data)
