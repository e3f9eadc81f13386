"""Who may change a review."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.core.api import caller_id
from shop.core.permissions import OrderStaff, live_role


class AuthorOrStaff(IsAuthenticatedOrReadOnly):
    """Everybody may read a review; its author, support and admins may change it."""

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        if obj.user_id == caller_id(request):
            return bool(live_role(request))
        return OrderStaff().has_permission(request, view)
