"""The roles as REST framework permissions."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.core.roles import CATALOG_WRITERS, ORDER_STAFF, USER_ADMINS, WEBHOOK_ADMINS


def has_role(request: Request, roles: frozenset[str]) -> bool:
    """Tell whether the caller's token carries one of the roles."""
    return getattr(request.user, "role", None) in roles


class _RolePermission(BasePermission):
    """Lets in the callers whose role is among `roles`."""

    roles: frozenset[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        return has_role(request, self.roles)


class CatalogWriter(_RolePermission):
    """Catalog managers and admins."""

    roles = CATALOG_WRITERS


class OrderStaff(_RolePermission):
    """Support and admins."""

    roles = ORDER_STAFF


class UserAdmin(_RolePermission):
    """Admins."""

    roles = USER_ADMINS


class WebhookAdmin(_RolePermission):
    """Admins."""

    roles = WEBHOOK_ADMINS


class ReadOnlyOrCatalogWriter(CatalogWriter):
    """Everybody may read; catalog managers and admins may write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE_METHODS or super().has_permission(request, view)
