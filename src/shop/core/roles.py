"""Who may do what, in one table."""

from fnmatch import fnmatchcase

from django.db.models import TextChoices


class Role(TextChoices):
    """A user's one role; it travels in the access token."""

    CUSTOMER = "customer"
    SUPPORT = "support"
    CATALOG_MANAGER = "catalog_manager"
    ADMIN = "admin"


STAFF = frozenset({Role.SUPPORT, Role.CATALOG_MANAGER, Role.ADMIN})
CATALOG_WRITERS = frozenset({Role.CATALOG_MANAGER, Role.ADMIN})
ORDER_STAFF = frozenset({Role.SUPPORT, Role.ADMIN})
USER_ADMINS = frozenset({Role.ADMIN})
WEBHOOK_ADMINS = frozenset({Role.ADMIN})
SHARD_ADMINS = frozenset({Role.ADMIN})

# On the staff pages, as Django names its permissions: app.action_model.
PAGES: dict[str, tuple[str, ...]] = {
    Role.SUPPORT: (
        "accounts.view_user",
        "catalog.view_product",
        "orders.*",
        "payments.*",
        "reviews.*",
    ),
    Role.CATALOG_MANAGER: ("catalog.*", "inventory.*"),
    Role.ADMIN: ("*.*",),
}


def may(role: str, permission: str) -> bool:
    """Tell whether a role has a permission of the staff pages, e.g. ``catalog.add_product``."""
    return any(fnmatchcase(permission, allowed) for allowed in PAGES.get(role, ()))


def may_enter(role: str, app_label: str) -> bool:
    """Tell whether a role has any permission on the staff pages of an app."""
    return any(fnmatchcase(app_label, allowed.partition(".")[0]) for allowed in PAGES.get(role, ()))
