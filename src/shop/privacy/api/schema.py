"""Taking one's data along, and being forgotten, as API clients read them."""

from typing import Any

from rest_framework import serializers

from shop.accounts.api.schema import ME, PASSWORD, USER
from shop.accounts.errors import OwnAccount
from shop.core.errors import AccountClosed
from shop.core.openapi import TIME_EXAMPLE, Operation
from shop.privacy.api.serializers import DeletionSerializer


class ExportSerializer(serializers.Serializer[Any]):
    """All that is known of a user, table by table; the rows have every column but secrets."""

    exported_at = serializers.DateTimeField(read_only=True)
    profile = serializers.DictField(read_only=True)
    identities = serializers.ListField(child=serializers.DictField(), read_only=True)
    carts = serializers.ListField(child=serializers.DictField(), read_only=True)
    wishlists = serializers.ListField(child=serializers.DictField(), read_only=True)
    orders = serializers.ListField(child=serializers.DictField(), read_only=True)
    reviews = serializers.ListField(child=serializers.DictField(), read_only=True)
    sessions = serializers.ListField(child=serializers.DictField(), read_only=True)
    idempotency_keys = serializers.ListField(child=serializers.DictField(), read_only=True)


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
        description="One JSON file with all that is known of the caller.",
        returns=ExportSerializer,
        example={
            "exported_at": TIME_EXAMPLE,
            "profile": USER,
            "identities": [{"value": "email:ana@example.com"}, {"value": "username:ana"}],
            "carts": [],
            "wishlists": [],
            "orders": [],
            "reviews": [],
            "sessions": [],
            "idempotency_keys": [{"created_at": TIME_EXAMPLE}],
        },
        errors=(AccountClosed,),
    ),
}
