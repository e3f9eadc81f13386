"""What every staff page about a model has in common.

Invariant: a page names the shard it asks. What is found neither through a reference table nor by
a shard key is shown only when somebody asks for it (`shop.core.admin.keyset`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.models import LogEntry
from django.core.paginator import Paginator
from django.db.models import DecimalField, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from shop.core.admin.log import changes_of, name_the_users
from shop.core.admin.numbers import PlainDecimal
from shop.core.errors import DomainError

View: TypeAlias = Callable[..., HttpResponse]


class StaffPage(ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin whose writes go through services, and whose log needs no join to a shard."""

    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # a facet is a COUNT for every choice of every filter
    list_per_page = 50
    list_max_show_all = 0
    formfield_overrides = {DecimalField: {"form_class": PlainDecimal}}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or save the form; what a service refuses is said above it."""
        return self._or_refusal(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask, then delete; what a service refuses is said above the question."""
        return self._or_refusal(request, super().delete_view, *args, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the object alone: the database decides whether something refers to it."""
        allowed = self.has_delete_permission(request)
        refused = set() if allowed else {str(self.opts.verbose_name)}
        return [str(one) for one in objs], {}, refused, []

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> Paginator[Any]:
        """Return Django's paginator; the log's join to its users would ask every shard."""
        if queryset.model is LogEntry:
            queryset = queryset.select_related(None).select_related("content_type")
        return super().get_paginator(request, queryset, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what was done to an object, and by whom."""
        response = super().history_view(request, *args, **kwargs)
        page = (getattr(response, "context_data", None) or {}).get("action_list")
        if page is not None:
            page.object_list = list(page.object_list)
            name_the_users(page.object_list)
        return response

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what was changed, from what to what."""
        if add:
            return super().construct_change_message(request, form, formsets, add)
        return changes_of(form)

    def _or_refusal(
        self, request: HttpRequest, view: View, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            # Raised out of the page's transaction, which is undone by now.
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
