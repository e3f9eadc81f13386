"""Taking one's data along, and being forgotten, as API clients read them."""

from typing import Any

from django.db.models import Model
from rest_framework import serializers

from shop.accounts.api.schema import ACCOUNT, ME, PASSWORD
from shop.accounts.errors import OwnAccount
from shop.accounts.models import User
from shop.carts.models import CartItem, ShoppingCart
from shop.core.errors import AccountClosed
from shop.core.openapi import TIME_EXAMPLE, Operation
from shop.notifications.models import SentMail
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.payments.models import Payment
from shop.privacy.api.serializers import DeletionSerializer
from shop.privacy.selectors import columns_of
from shop.reviews.models import Review
from shop.wishlists.models import Wishlist, WishlistItem


def _row_of(
    model: type[Model], **children: type[serializers.ModelSerializer[Any]]
) -> type[serializers.ModelSerializer[Any]]:
    """Return the shape of a table's rows as they are handed out, with those that belong to each."""
    lists = {name: child(many=True, read_only=True) for name, child in children.items()}
    fields = {"model": model, "fields": [*columns_of(model), *children], "validators": []}
    meta = type("Meta", (), fields)
    about = f"A row of the caller's {model._meta.verbose_name_plural}, with all that it has."
    members = {**lists, "Meta": meta, "__doc__": about}
    return type(f"Exported{model.__name__}Serializer", (serializers.ModelSerializer,), members)


class ExportedIdentitySerializer(serializers.Serializer[Any]):
    """A name that the caller has claimed."""

    value = serializers.CharField(read_only=True)


class ExportedSessionSerializer(serializers.Serializer[Any]):
    """A session by its dates; its tokens are secrets."""

    started_at = serializers.DateTimeField(read_only=True)
    last_renewed_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)


class ExportedKeySerializer(serializers.Serializer[Any]):
    """When a request with an Idempotency-Key was answered."""

    created_at = serializers.DateTimeField(read_only=True)


ExportedUser = _row_of(User)
ExportedCart = _row_of(ShoppingCart, items=_row_of(CartItem))
ExportedWishlist = _row_of(Wishlist, items=_row_of(WishlistItem))
ExportedReview = _row_of(Review)
ExportedMail = _row_of(SentMail)
ExportedOrder = _row_of(
    Order, items=_row_of(OrderItem), events=_row_of(OrderEvent), payments=_row_of(Payment)
)


class ExportSerializer(serializers.Serializer[Any]):
    """All that is known of a user, table by table; the rows have every column but secrets."""

    exported_at = serializers.DateTimeField(read_only=True)
    profile = ExportedUser(read_only=True)
    identities = ExportedIdentitySerializer(many=True, read_only=True)
    carts = ExportedCart(many=True, read_only=True)
    wishlists = ExportedWishlist(many=True, read_only=True)
    orders = ExportedOrder(many=True, read_only=True)
    reviews = ExportedReview(many=True, read_only=True)
    mails = ExportedMail(many=True, read_only=True)
    sessions = ExportedSessionSerializer(many=True, read_only=True)
    idempotency_keys = ExportedKeySerializer(many=True, read_only=True)


OPERATIONS = {
    "MeView.delete": Operation(
        id="me_delete",
        tag=ME,
        summary="Delete one's own account",
        description="Wants the password once more. Orders and payments stay, without a name; "
        "everything else is removed. Admins have to be demoted first.",
        body=DeletionSerializer,
        sends={"password": PASSWORD},
        status=204,
        errors=(OwnAccount,),
    ),
    "ExportView.get": Operation(
        id="me_export",
        tag=ME,
        summary="Take all one's data along",
        description="One JSON file with all that is known of the caller. It asks every shard, "
        "and so has a limit of its own, 10 an hour.",
        returns=ExportSerializer,
        example={
            "exported_at": TIME_EXAMPLE,
            "profile": ACCOUNT,
            "identities": [{"value": "email:ana@example.com"}, {"value": "username:ana"}],
            "carts": [],
            "wishlists": [],
            "orders": [],
            "reviews": [],
            "mails": [],
            "sessions": [],
            "idempotency_keys": [{"created_at": TIME_EXAMPLE}],
        },
        errors=(AccountClosed,),
    ),
}
