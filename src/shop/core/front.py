"""What stands at the two addresses that people try first: `/` and `/api/`."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views import View
from django.views.generic import TemplateView

# Where one may go from /api/: what is there for everybody, and what a token opens.
LINKS = {
    "documentation": "/api/docs/",
    "openapi": "/api/schema/",
    "register": "/api/auth/register/",
    "login": "/api/auth/login/",
    "refresh": "/api/auth/refresh/",
    "categories": "/api/categories/",
    "products": "/api/products/",
    "me": "/api/users/me/",
    "cart": "/api/cart/",
    "wishlist": "/api/wishlist/",
    "orders": "/api/orders/",
    "payments": "/api/payments/",
}


class ApiIndex(View):
    """The addresses of the API, by name."""

    def get(self, request: HttpRequest) -> JsonResponse:
        root = settings.PUBLIC_URL.rstrip("/")
        return JsonResponse({name: f"{root}{path}" for name, path in LINKS.items()})


class Home(TemplateView):
    """A page for whoever opens the shop's address in a browser."""

    template_name = "core/home.html"
    extra_context: dict[str, Any] = {"version": settings.SPECTACULAR_SETTINGS["VERSION"]}
