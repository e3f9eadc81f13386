"""Who may do what, in one table."""

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
