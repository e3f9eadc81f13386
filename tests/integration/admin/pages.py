"""Every address of the staff pages, with what each asks for."""

from collections.abc import Iterator

from shop.accounts.models import User
from shop.catalog.models import Category, Product
from shop.core.roles import Role

USERS, CATEGORIES, PRODUCTS, STOCK = (
    f"/admin/{path}/"
    for path in ("accounts/user", "catalog/category", "catalog/product", "inventory/shelf")
)
OWN = ["/admin/", "/admin/password_change/", "/admin/password_change/done/", "/admin/jsi18n/"]
APPS = [
    f"/admin/{label}/"
    for label in (
        "accounts",
        "catalog",
        "core",
        "inventory",
        "orders",
        "payments",
        "reviews",
        "webhooks",
    )
]
AUTOCOMPLETE = (
    "/admin/autocomplete/?app_label=catalog&model_name=product&field_name=category&term=book"
)
EVERY_SHARD = f"{USERS}?every_shard="


IMPORT = "/admin/inventory/import/"
ORDERS, PAYMENTS, REVIEWS, ENDPOINTS, DELIVERIES, LETTERS = DESKS = [
    f"/admin/{path}/"
    for path in (
        "orders/order",
        "payments/payment",
        "reviews/review",
        "webhooks/webhookendpoint",
        "webhooks/webhookdelivery",
        "core/deadletter",
    )
]


def every_page(user: User, category: Category, product: Product) -> Iterator[str]:
    """Yield each page that is opened by a GET: lists in every order and with every filter."""
    yield from (*OWN, *APPS, AUTOCOMPLETE, *DESKS, IMPORT)
    yield from _list(USERS, ["every_shard=no", *(f"q={name}" for name in _names(user))])
    yield from (EVERY_SHARD + choice for choice in ("all", *Role.values))
    yield from (f"{EVERY_SHARD}all&after={user.pk}", f"{EVERY_SHARD}admin&q=sam")
    yield from _list(CATEGORIES, ["q=book", "o=1", "o=-2", "o=3"])
    filters = ["q=book", "in_stock=yes", "in_stock=no&q=a", "in_stock=?", "p=1"]
    yield from _list(PRODUCTS, [*filters, *(f"o={n}" for n in range(1, 6))])
    yield from _list(STOCK, [*filters, "o=1", "o=-2"])
    for base, key in ((USERS, user.pk), (CATEGORIES, category.pk), (PRODUCTS, product.pk)):
        yield f"{base}add/"
        yield from (f"{base}{key}/change/", f"{base}{key}/history/")
    yield from (f"{STOCK}{product.pk}/change/", f"{STOCK}{product.pk}/history/")
    yield from (f"{CATEGORIES}{category.pk}/delete/", f"{PRODUCTS}{product.pk}/delete/")


def _list(base: str, queries: list[str]) -> list[str]:
    return [base, f"{base}?q=", f"{base}?q=%20", *(f"{base}?{query}" for query in queries)]


def _names(user: User) -> list[str]:
    return [user.username, user.email.upper(), str(user.pk), "nobody", "%00"]
