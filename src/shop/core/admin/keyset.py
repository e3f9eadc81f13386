"""Lists of distributed rows: one page at a time, in the order of their ids, never counted."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

AFTER = "after"


class KeysetChangeList(ChangeList):
    """The rows behind the last one of the page before; newest first.

    Nothing is listed while nobody has searched for anything, or asked every shard (`EveryShard`).
    A page number would make every shard send all rows up to it, and a count would read them all.
    """

    next_page: str | None = None
    first_page: str | None = None

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name != AFTER}

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return ["-id"]

    def get_results(self, request: HttpRequest) -> None:
        asked = self.query or getattr(self.queryset.query, "cross_shard", False)
        rows = self.queryset if asked else self.queryset.none()
        after = _uuid(self.params.get(AFTER))
        if after:
            rows = rows.filter(id__lt=after)
            self.first_page = self.get_query_string(remove=[AFTER])
        found = list(rows[: self.list_per_page + 1])
        self.result_list = found[: self.list_per_page]
        if len(found) > self.list_per_page:
            self.next_page = self.get_query_string({AFTER: self.result_list[-1].pk})
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.result_list, self.list_per_page)  # for the templates


class EveryShard(admin.SimpleListFilter):
    """The choice to ask all shards, said in so many words."""

    parameter_name = "every_shard"

    def narrow(self, queryset: QuerySet[Any], choice: str) -> QuerySet[Any]:
        """Return the rows of a choice."""
        return queryset

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if choice := self.value():
            return self.narrow(queryset, choice).cross_shard()  # type: ignore[attr-defined,no-any-return]
        return queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            if choice["query_string"] == changelist.get_query_string(remove=[self.parameter_name]):
                choice["display"] = "Do not ask"
            yield choice


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
