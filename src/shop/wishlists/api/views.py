"""The caller's wishlist."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.core.api import caller_id, created, validated
from shop.core.permissions import LiveAccount
from shop.wishlists import selectors, services
from shop.wishlists.api.serializers import AddItemSerializer, WishlistItemSerializer
from shop.wishlists.models import WishlistItem


class WishlistView(APIView):
    """The whole wishlist."""

    permission_classes = [LiveAccount]

    def get(self, request: Request) -> Response:
        wishlist = selectors.wishlist_of(caller_id(request))
        items = selectors.items_of(caller_id(request)).order_by("id")
        return Response(
            {
                "id": str(wishlist.id) if wishlist else None,
                "items": WishlistItemSerializer(items, many=True).data,
            }
        )

    def delete(self, request: Request) -> Response:
        services.clear(caller_id(request))
        return Response(status=204)


class WishlistItemListView(generics.ListAPIView[WishlistItem]):
    """The items of the wishlist, the newest first."""

    serializer_class = WishlistItemSerializer

    def get_queryset(self) -> QuerySet[WishlistItem]:
        return selectors.items_of(caller_id(self.request))

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)

    def post(self, request: Request) -> Response:
        wanted = validated(AddItemSerializer, request.data)
        item = services.add_item(user_id=caller_id(request), **wanted)
        return created(WishlistItemSerializer(item).data, f"{request.path}{item.id}/")


class WishlistItemView(APIView):
    """One item of the wishlist."""

    permission_classes = [LiveAccount]

    def delete(self, request: Request, item_id: UUID) -> Response:
        services.remove_item(user_id=caller_id(request), item_id=item_id)
        return Response(status=204)
