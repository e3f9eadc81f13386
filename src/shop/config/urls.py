"""Every path of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from sharding.django.console.urls import console
from shop.core import health, metrics
from shop.core.front import ApiIndex, Home
from shop.core.openapi.views import DocsView, SchemaView
from shop.core.roles import SHARD_ADMINS
from shop.core.staff import staff_only

urlpatterns = [
    path("", Home.as_view()),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics.show),
    path("admin", RedirectView.as_view(url="/admin/")),  # as people type it
    path("admin/", admin.site.urls),
    path("shards/", include(console(access=staff_only(SHARD_ADMINS), frame="staff/page.html"))),
    path("status/", include("shop.monitoring.urls")),
    path("api/", ApiIndex.as_view()),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path(
        "api/",
        include(
            [
                path("", include(f"shop.{app}.api.urls"))
                for app in (
                    "accounts",
                    "reviews",
                    "catalog",
                    "inventory",
                    "carts",
                    "wishlists",
                    "checkout",
                    "webhooks",
                    "orders",
                    "privacy",
                    "payments",
                )
            ]
        ),
    ),
]

handler400 = "shop.core.errors.bad_request"
handler404 = "shop.core.errors.page_not_found"
handler500 = "shop.core.errors.server_error"
