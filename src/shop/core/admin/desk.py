"""Staff pages of rows that two columns name: found, looked at, and acted upon.

Django's admin knows a row by one column, and refuses models whose key has two. A desk is to these
what a ModelAdmin is to others: a list with a search and choices, a page for each row, and instead
of a form that writes columns, actions that call services.

Invariant: a list asks more than one shard only when somebody has chosen so, and never counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeAlias
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.text import capfirst

from shop.core.admin.log import note, told
from shop.core.db import retrying
from shop.core.errors import DomainError, NotFound

Rows: TypeAlias = QuerySet[Any] | Sequence[Any]
PER_PAGE = 50
AFTER, CHOICE, SEARCH = "after", "show", "q"


class Column(NamedTuple):
    """A column of a list: what its head says, and what it shows of a row."""

    title: str
    value: Callable[[Any], Any]


class Acting(NamedTuple):
    """Who acts, and what they filled in."""

    staff_id: UUID
    data: Mapping[str, Any]


class Plain(forms.Form):
    """Nothing to fill in."""


@dataclass(frozen=True)
class Action:
    """Something that staff may do to a row.

    Attributes:
        run: does it, and returns the sentence that says so.
        open_to: whether a row is in the state for it; the service decides once more.
        says: what it brings with it, for who is about to do it.
    """

    name: str
    label: str
    run: Callable[[Any, Acting], str]
    open_to: Callable[[Any], bool] = lambda row: True
    form: type[forms.Form] = Plain
    says: str = ""


@dataclass
class Offer:
    """An action as a row's page offers it."""

    action: Action
    form: forms.Form

    @property
    def is_wrong(self) -> bool:
        """Tell whether it was filled in, and cannot be done so."""
        return bool(self.form.errors)


@dataclass
class Page:
    """A page of a list."""

    rows: list[Any] = field(default_factory=list)
    after: Any = None
    is_asked: bool = False


class Desk:
    """One kind of rows."""

    model: ClassVar[type[Model]]
    plural: ClassVar[str]
    search_help: ClassVar[str] = ""
    choices_title: ClassVar[str] = "Newest, asking every shard"
    choices: ClassVar[Sequence[tuple[str, str]]] = ()
    columns: ClassVar[Sequence[Column]] = ()
    actions: ClassVar[Sequence[Action]] = ()
    template: ClassVar[str]

    def find(self, term: str) -> Rows:
        """Return what somebody looks for, the newest first."""
        raise NotImplementedError

    def chosen(self, choice: str) -> Rows:
        """Return the rows of a choice, the newest first. Asks every shard."""
        raise NotImplementedError

    def keys(self, row: Any) -> tuple[Any, Any]:
        """Return the shard key and the id that name a row."""
        raise NotImplementedError

    def row(self, shard_key: str, row_id: UUID) -> Any:
        """Return a row, or raise NotFound."""
        raise NotImplementedError

    def context(self, row: Any) -> dict[str, Any]:
        """Return what the row's page shows beside it."""
        return {}

    # What is the same for all of them.

    @property
    def label(self) -> str:
        return self.model._meta.app_label

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)

    def may(self, request: HttpRequest, verb: str) -> bool:
        """Tell whether who asks may ``view`` or ``change`` these rows."""
        return bool(request.user.has_perm(f"{self.label}.{verb}_{self.name}"))

    def urls(self, wrap: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield the paths of the list, of each row, and of what can be done to it."""
        base, name = f"{self.label}/{self.name}/", f"{self.label}_{self.name}"
        yield path(base, wrap(self.list_view), name=f"{name}_list")
        yield path(f"{base}<str:shard_key>/<uuid:row_id>/", wrap(self.row_view), name=f"{name}_row")

    def list_url(self) -> str:
        return reverse(f"admin:{self.label}_{self.name}_list")

    def url(self, row: Any) -> str:
        """Return the address of a row's page."""
        return reverse(f"admin:{self.label}_{self.name}_row", args=self.keys(row))

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show what was looked for or chosen; nothing while nobody has."""
        self._require(request, "view")
        term, choice = request.GET.get(SEARCH, "").strip(), request.GET.get(CHOICE, "")
        page = self._page(term, choice, request.GET.get(AFTER, ""))
        table = [
            (self.url(row), [column.value(row) for column in self.columns]) for row in page.rows
        ]
        values = {
            "title": self.plural,
            "table": table,
            "page": page,
            "term": term,
            "choice": choice,
        }
        return self._render(request, "admin/desk/list.html", values)

    def _page(self, term: str, choice: str, after: str) -> Page:
        if term and "\0" not in term:
            rows = self.find(term)
        elif choice in dict(self.choices):
            rows = self.chosen(choice)
        else:
            return Page(is_asked=bool(term))
        if isinstance(rows, QuerySet):
            if last := _uuid(after):
                rows = rows.filter(id__lt=last)
            rows = list(rows.order_by("-id")[: PER_PAGE + 1])
        shown = list(rows[:PER_PAGE])
        return Page(shown, self.keys(shown[-1])[1] if len(rows) > PER_PAGE else None, True)

    def row_view(self, request: HttpRequest, shard_key: str, row_id: UUID) -> HttpResponse:
        """Show a row, or do something to it."""
        self._require(request, "view")
        try:
            row = self.row(shard_key, row_id)
        except (NotFound, ValueError) as error:
            raise Http404(str(error)) from error
        filled = request.POST.get("action") if request.method == "POST" else None
        offers = self._offers(request, row, filled)
        if filled is not None and (answer := self._act(request, row, offers, filled)):
            return answer
        values = {
            "title": f"{capfirst(self.model._meta.verbose_name)} {row}",
            "row": row,
            "offers": offers,
            "log": told(self.model, self._log_key(row)),
            **self.context(row),
        }
        return self._render(request, self.template, values)

    def _offers(self, request: HttpRequest, row: Any, filled: str | None) -> list[Offer]:
        if not self.may(request, "change"):
            return []
        return [
            Offer(
                action,
                action.form(request.POST if action.name == filled else None, prefix=action.name),
            )
            for action in self.actions
            if action.open_to(row)
        ]

    def _act(
        self, request: HttpRequest, row: Any, offers: list[Offer], name: str
    ) -> HttpResponse | None:
        """Do it, and return where to go; None shows the form once more."""
        self._require(request, "change")
        offer = next((one for one in offers if one.action.name == name), None)
        here = HttpResponseRedirect(request.path)
        if offer is None:
            messages.error(request, "That cannot be done to it any more.")
            return here
        if not offer.form.is_valid():
            return None
        acting = Acting(UUID(str(request.user.pk)), offer.form.cleaned_data)
        try:
            said = retrying(lambda: offer.action.run(row, acting))
        except DomainError as error:
            messages.error(request, error.detail)
            return here
        note(request, self.model, self._log_key(row), str(row), said)
        messages.success(request, said)
        return here if self._is_there(row) else HttpResponseRedirect(self.list_url())

    def _is_there(self, row: Any) -> bool:
        shard_key, row_id = self.keys(row)
        try:
            self.row(str(shard_key), row_id)
        except NotFound:
            return False
        return True

    def _log_key(self, row: Any) -> str:
        return "/".join(map(str, self.keys(row)))

    def _require(self, request: HttpRequest, verb: str) -> None:
        if not self.may(request, verb):
            raise PermissionDenied

    def _render(self, request: HttpRequest, template: str, values: dict[str, Any]) -> HttpResponse:
        common = {**admin.site.each_context(request), "desk": self, "opts": self.model._meta}
        return render(request, template, {**common, **values})


def register(desk: Desk) -> None:
    """Put a desk among the staff pages."""
    site: Any = admin.site
    site.desks.append(desk)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
