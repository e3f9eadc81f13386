"""The one admin site: who may come in, and what its own pages ask."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from shop.accounts.staff_forms import StaffLoginForm, StaffPasswordView
from shop.core.admin.site import DeskSite


class StaffSite(DeskSite):
    """The staff pages at /admin/."""

    site_header = "Shardmart"
    site_title = "Shardmart staff"
    index_title = "Staff pages"
    site_url = None  # there is no shop window to look at, only the API
    login_form = StaffLoginForm

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Deleting many rows at once would ask every shard what refers to them.
        self.disable_action("delete_selected")

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Return the log without a join to its users: only one's own actions are shown."""
        return LogEntry.objects.select_related("content_type")

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the login page, or answer it; 429 when there were too many wrong passwords."""
        response = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if throttled := getattr(form, "throttled", None):
            response.status_code = throttled.status
            for name, value in throttled.headers.items():
                response[name] = value
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Let staff change their own password."""
        view = StaffPasswordView.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name
        return view(request)
