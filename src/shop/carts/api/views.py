"""The caller's cart."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.carts import selectors, services
from shop.carts.api.serializers import (
    AddItemSerializer,
    CartItemSerializer,
    QuantitySerializer,
    cart_body,
)
from shop.core.api import caller_id, validated


class CartView(APIView):
    """The whole cart."""

    def get(self, request: Request) -> Response:
        user_id = caller_id(request)
        return Response(cart_body(selectors.cart_of(user_id), selectors.items_of(user_id)))

    def delete(self, request: Request) -> Response:
        services.empty(caller_id(request))
        return Response(status=204)


class CartItemListView(APIView):
    """The lines of the cart."""

    def get(self, request: Request) -> Response:
        items = selectors.items_of(caller_id(request))
        return Response(CartItemSerializer(items, many=True).data)

    def post(self, request: Request) -> Response:
        wanted = validated(AddItemSerializer, request.data)
        item = services.add_item(user_id=caller_id(request), **wanted)
        return Response(CartItemSerializer(item).data, status=201)


class CartItemView(APIView):
    """One line of the cart."""

    def patch(self, request: Request, item_id: UUID) -> Response:
        wanted = validated(QuantitySerializer, request.data)
        item = services.set_quantity(user_id=caller_id(request), item_id=item_id, **wanted)
        return Response(CartItemSerializer(item).data)

    def delete(self, request: Request, item_id: UUID) -> Response:
        services.remove_item(user_id=caller_id(request), item_id=item_id)
        return Response(status=204)
