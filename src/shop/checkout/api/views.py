"""What customers do with their orders beyond reading them."""

from uuid import UUID

from prometheus_client import Counter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.carts.api.views import cart_shown_to
from shop.checkout import selectors, services
from shop.checkout.api.serializers import PayingSerializer, PlaceOrderSerializer
from shop.core.api import caller_id, idempotent, require_no_body, validated
from shop.core.conditional import etag_of, matching, require_match
from shop.core.idempotency import Answer
from shop.core.strictness import refuse_unknown_parameters
from shop.orders.api.serializers import OrderSerializer
from shop.orders.api.views import OrderListView
from shop.orders.models import Order
from shop.payments.api.serializers import PaymentSerializer

ORDERS_PLACED = Counter("shardmart_orders_placed_total", "Orders placed; repetitions do not count.")


class OrdersView(OrderListView):
    """The caller's orders; a POST makes one of the cart."""

    if_match = ("POST",)  # compared with the cart

    def post(self, request: Request) -> Response:
        wanted = validated(PlaceOrderSerializer, request.data)
        user_id = caller_id(request)
        check = matching(request, lambda: cart_shown_to(user_id))

        def work() -> Answer:
            order = services.place_order(user_id=user_id, check=check, **wanted)
            return Answer(201, OrderSerializer(order).data, f"{request.path}{order.id}/")

        response = idempotent(request, work)
        if response.status_code == 201 and "Idempotent-Replayed" not in response.headers:
            ORDERS_PLACED.inc()
        return response


class CancelOrderView(APIView):
    """Cancelling one of the caller's orders, while nothing of it has left."""

    if_match = ("POST",)

    def post(self, request: Request, order_id: UUID) -> Response:
        require_no_body(request)

        def check(order: Order) -> None:
            if "If-Match" in request.headers:
                require_match(request, OrderSerializer(order).data)

        def work() -> Answer:
            user_id = caller_id(request)
            order = services.cancel_order(user_id=user_id, order_id=order_id, check=check)
            return Answer(200, OrderSerializer(order).data)

        response = idempotent(request, work)
        response.headers["ETag"] = etag_of(response.data)
        return response


class OrderPaymentsView(APIView):
    """The payments of one of the caller's orders; a POST begins another one."""

    def get(self, request: Request, order_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        payments = selectors.payments_of_known_order(caller_id(request), order_id)
        return Response(PaymentSerializer(payments, many=True).data)

    def post(self, request: Request, order_id: UUID) -> Response:
        wanted = validated(PayingSerializer, request.data)

        def work() -> Answer:
            payment = services.pay_order(user_id=caller_id(request), order_id=order_id, **wanted)
            return Answer(201, PaymentSerializer(payment).data, f"/api/payments/{payment.id}/")

        return idempotent(request, work)
