"""Every path of the service."""

from django.urls import include, path

from shop.core import health

urlpatterns = [
    path("health/live", health.live),
    path("health/ready", health.ready),
    path(
        "api/",
        include(
            [
                path("", include(f"shop.{app}.api.urls"))
                for app in (
                    "accounts",
                    "catalog",
                    "inventory",
                    "carts",
                    "wishlists",
                    "checkout",
                    "orders",
                )
            ]
        ),
    ),
]

handler400 = "shop.core.errors.bad_request"
handler404 = "shop.core.errors.page_not_found"
handler500 = "shop.core.errors.server_error"
