"""Placing an order."""

from rest_framework.request import Request
from rest_framework.response import Response

from shop.checkout.api.serializers import PlaceOrderSerializer
from shop.checkout.services import place_order
from shop.core.api import caller_id, idempotent, validated
from shop.core.idempotency import Answer
from shop.orders.api.serializers import OrderSerializer
from shop.orders.api.views import OrderListView


class OrdersView(OrderListView):
    """The caller's orders; a POST makes one of the cart."""

    def post(self, request: Request) -> Response:
        wanted = validated(PlaceOrderSerializer, request.data)

        def work() -> Answer:
            order = place_order(user_id=caller_id(request), **wanted)
            return Answer(201, OrderSerializer(order).data, f"{request.path}{order.id}/")

        return idempotent(request, work)
