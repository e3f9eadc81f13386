"""The caller's cart; with If-Match, only the cart that they have seen is changed."""

from typing import Any
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
from shop.core.api import caller_id, idempotent_if_keyed, validated
from shop.core.conditional import Check, etag_of, matching
from shop.core.idempotency import Answer
from shop.core.permissions import LiveAccount
from shop.core.strictness import refuse_unknown_parameters


class CartView(APIView):
    """The whole cart."""

    permission_classes = [LiveAccount]

    if_match = ("DELETE",)

    def get(self, request: Request) -> Response:
        return Response(cart_shown_to(caller_id(request)))

    def delete(self, request: Request) -> Response:
        services.discard(caller_id(request), check=_check(request))
        return Response(status=204)


class CartItemListView(APIView):
    """The lines of the cart."""

    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        items = selectors.items_of(caller_id(request))
        return Response(CartItemSerializer(items, many=True).data)

    def post(self, request: Request) -> Response:
        wanted = validated(AddItemSerializer, request.data)

        def add() -> Answer:
            item = services.add_item(user_id=caller_id(request), **wanted)
            return Answer(201, CartItemSerializer(item).data, f"{request.path}{item.id}/")

        return idempotent_if_keyed(request, add)


class CartItemView(APIView):
    """One line of the cart."""

    permission_classes = [LiveAccount]

    if_match = ("PATCH", "DELETE")

    def patch(self, request: Request, item_id: UUID) -> Response:
        wanted = validated(QuantitySerializer, request.data)
        item = services.set_quantity(
            user_id=caller_id(request), item_id=item_id, check=_check(request), **wanted
        )
        response = Response(CartItemSerializer(item).data)
        if "If-Match" in request.headers:  # the cart's, so that its next change may follow at once
            response.headers["ETag"] = etag_of(cart_shown_to(caller_id(request)))
        return response

    def delete(self, request: Request, item_id: UUID) -> Response:
        services.remove_item(user_id=caller_id(request), item_id=item_id, check=_check(request))
        return Response(status=204)


def cart_shown_to(user_id: UUID) -> dict[str, Any]:
    """Return what a GET of the user's cart answers right now."""
    return cart_body(selectors.cart_of(user_id), selectors.items_of(user_id))


def _check(request: Request) -> Check:
    """Compare If-Match with the whole cart: a line has no address to read it from by itself."""
    return matching(request, lambda: cart_shown_to(caller_id(request)))
