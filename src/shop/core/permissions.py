"""The roles as REST framework permissions.

A token says who somebody was when it was made. What changes things, and whatever is for staff
alone, asks the account as it is now (`live_role`): one statement, on its own shard.
"""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request

from shop.core.roles import CATALOG_WRITERS, ORDER_STAFF, USER_ADMINS, WEBHOOK_ADMINS

if TYPE_CHECKING:  # it imports the authentication, and that this
    from rest_framework.views import APIView


def has_role(request: Request, roles: frozenset[str]) -> bool:
    """Tell whether the caller's token carries one of the roles."""
    return getattr(request.user, "role", None) in roles


def lets_in(view: "APIView", method: str | None, user: object) -> bool:
    """Tell whether a view's permissions let somebody in: they are asked, not read."""
    request: Any = SimpleNamespace(method=method, user=user)
    return all(permission.has_permission(request, view) for permission in view.get_permissions())


def is_open(view: "APIView", method: str | None) -> bool:
    """Tell whether this is open to everybody, with a token or without."""
    return lets_in(view, method, SimpleNamespace(id=None, role=None, is_authenticated=False))


def live_role(request: Request) -> str:
    """Return the role that the caller's account has now; raise AccountClosed if it has ended."""
    caller: Any = request.user
    return str(caller.live_role())


class LiveAccount(IsAuthenticated):
    """Lets in whoever is logged in; to change something, their account has to be open still.

    AccountClosed is raised if it is not. For views whose services do not ask for that themselves.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not super().has_permission(request, view):
            return False
        return request.method in SAFE_METHODS or bool(live_role(request))


class _RolePermission(BasePermission):
    """Lets in the callers whose role is among `roles`: their token's, and their account's."""

    roles: frozenset[str]

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return has_role(request, self.roles) and live_role(request) in self.roles


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

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or super().has_permission(request, view)
