"""All that is known of one user.

Every column of every row is handed out but the secrets named here, so that a column that is added
later is not forgotten. What is left out altogether: outbox and webhook events, which repeat what
orders and payments say.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from shop.accounts.models import Identity, RefreshToken, User
from shop.accounts.selectors import active_user
from shop.carts.models import CartItem, ShoppingCart
from shop.core.models import IdempotencyKey
from shop.notifications.models import SentMail
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.payments.models import Payment
from shop.reviews.models import Review
from shop.wishlists.models import Wishlist, WishlistItem

Row = dict[str, Any]
SECRETS: dict[type[Model], set[str]] = {User: {"password"}, Payment: {"token"}}


def everything_of(user_id: UUID) -> Row:
    """Return all data of an active user, ready for JSON; one query per table.

    The user's own shard answers all but two: the claimed names, one shard each, and the reviews,
    which lie with their products and for which every shard is asked.

    Raises:
        AccountClosed
    """
    user = active_user(user_id)
    return {
        "exported_at": timezone.now(),
        "profile": _row(user),
        "identities": _identities(user),
        "carts": _with_items(user_id, ShoppingCart, CartItem, "cart_id"),
        "wishlists": _with_items(user_id, Wishlist, WishlistItem, "wishlist_id"),
        "orders": _orders(user_id),
        "reviews": _rows(Review.objects.cross_shard().filter(user_id=user_id)),
        "mails": [_row(mail) for mail in SentMail.objects.for_user(user_id).order_by("sent_at")],
        "sessions": _sessions(user_id),
        "idempotency_keys": [
            {"created_at": key.created_at} for key in IdempotencyKey.objects.for_user(user_id)
        ],
    }


def columns_of(model: type[Model]) -> list[str]:
    """Return the columns of a table that are handed out: all but its secrets."""
    names = [field.attname for field in model._meta.concrete_fields]
    return [name for name in names if name not in SECRETS.get(model, ())]


def _row(instance: Model) -> Row:
    return {name: _plain(getattr(instance, name)) for name in columns_of(type(instance))}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value  # JSON's numbers are no money


def _rows(instances: Iterable[Any]) -> list[Row]:
    oldest_first = sorted(instances, key=lambda instance: instance.created_at)
    return [_row(instance) for instance in oldest_first]


def _by(name: str, rows: list[Row]) -> dict[UUID, list[Row]]:
    groups: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return groups


def _with_items(user_id: UUID, parent: Any, child: Any, link: str) -> list[Row]:
    items = _by(link, _rows(child.objects.for_user(user_id)))
    parents = _rows(parent.objects.for_user(user_id))
    return [{**row, "items": items[row["id"]]} for row in parents]


def _orders(user_id: UUID) -> list[Row]:
    parts = {
        "items": _by("order_id", _rows(OrderItem.objects.for_user(user_id))),
        "events": _by("order_id", _events(user_id)),
        "payments": _by("order_id", _rows(Payment.objects.for_user(user_id))),
    }
    orders = _rows(Order.objects.for_user(user_id))
    return [{**row, **{name: found[row["id"]] for name, found in parts.items()}} for row in orders]


def _events(user_id: UUID) -> list[Row]:
    """Return what became of the orders; which member of staff did it is not the user's to know."""
    rows = _rows(OrderEvent.objects.for_user(user_id))
    for row in rows:
        row["details"] = {n: told for n, told in row["details"].items() if n != "staff_id"}
    return rows


def _identities(user: User) -> list[Row]:
    claimed = [Identity.name_of(kind, getattr(user, kind)) for kind in ("email", "username")]
    return [
        {"value": identity.value}
        for value in claimed
        for identity in Identity.objects.for_key(value).filter(user_id=user.id)
    ]


def _sessions(user_id: UUID) -> list[Row]:
    """Return the families of refresh tokens by their dates; the tokens themselves are secrets."""
    families = _by("family_id", _rows(RefreshToken.objects.for_user(user_id)))
    return [
        {
            "started_at": tokens[0]["created_at"],
            "last_renewed_at": tokens[-1]["created_at"],
            "expires_at": tokens[-1]["expires_at"],
        }
        for tokens in families.values()
    ]
