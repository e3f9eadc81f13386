"""The caller's orders, and everybody's for staff. What changes them is the checkout's business."""

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.core.api import caller_id, parameters
from shop.core.permissions import OrderStaff
from shop.core.strictness import refuse_unknown_parameters
from shop.orders import selectors
from shop.orders.api.serializers import (
    OrderFilterSerializer,
    OrderItemSerializer,
    OrderSerializer,
    StaffOrderRowSerializer,
)
from shop.orders.models import Order


class OrderListView(generics.ListAPIView[Order]):
    """The caller's orders, the newest first."""

    serializer_class = OrderSerializer

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.orders_with_payments(caller_id(self.request))

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)  # a UUIDv7 begins with its time


class OrderView(APIView):
    """One order."""

    def get(self, request: Request, order_id: UUID) -> Response:
        return Response(OrderSerializer(selectors.order_of(caller_id(request), order_id)).data)


class OrderItemListView(APIView):
    """The lines of one order."""

    def get(self, request: Request, order_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        order = selectors.order_of(caller_id(request), order_id)
        return Response(OrderItemSerializer(order.items.all(), many=True).data)


class StaffOrderListView(generics.ListAPIView[Order]):
    """The orders of all users, the newest first.

    The X-Shards-Asked header says how many shards the answer took: one with `user_id`, else all.
    """

    permission_classes = [OrderStaff]
    serializer_class = StaffOrderRowSerializer
    query_serializer = OrderFilterSerializer

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.orders_for_staff(self._filters())

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        response["X-Shards-Asked"] = str(selectors.shards_asked(self._filters()))
        return response

    def _filters(self) -> selectors.Filters:
        filters = parameters(self.query_serializer, self.request.query_params.dict())
        return cast("selectors.Filters", filters)
