"""The part of the admin site that shows desks among Django's own pages."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import re_path

from shop.core.admin.desk import Desk


class DeskSite(AdminSite):
    """An admin site with desks: their paths, and their links on the index."""

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.desks: list[Desk] = []

    def get_urls(self) -> list[Any]:
        """Return the paths of all pages; the desks' stand before the one that catches all."""
        labels = "|".join(sorted({desk.label for desk in self.desks}))
        own = [url for desk in self.desks for url in desk.urls(self.admin_view)]
        index = re_path(
            rf"^(?P<app_label>{labels})/$", self.admin_view(self.app_index), name="app_list"
        )
        return [*own, index, *super().get_urls()]

    def _build_app_dict(self, request: HttpRequest, label: Any = None) -> Any:
        apps: dict[str, Any] = super()._build_app_dict(request, label)
        for desk in self.desks:
            if label in (None, desk.label) and desk.may(request, "view"):
                app = apps.setdefault(desk.label, self._app_of(desk))
                app["models"].append(_link_to(desk, may_change=desk.may(request, "change")))
        return apps

    def _app_of(self, desk: Desk) -> dict[str, Any]:
        return {
            "name": desk.model._meta.app_config.verbose_name,
            "app_label": desk.label,
            "app_url": f"/{self.name}/{desk.label}/",
            "has_module_perms": True,
            "models": [],
        }


def _link_to(desk: Desk, *, may_change: bool) -> dict[str, Any]:
    return {
        "model": desk.model,
        "name": desk.plural,
        "object_name": desk.model._meta.object_name,
        "perms": {"add": False, "change": may_change, "delete": False, "view": True},
        "admin_url": desk.list_url(),
        "add_url": None,
        "view_only": not may_change,
    }
