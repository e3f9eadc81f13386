"""What staff did, on the coordinator: with old and new values, and by whom."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.http import HttpRequest

LINES = 50  # of what was done to one row, the newest
MAX_VALUE = 60  # characters of a value


def note(request: HttpRequest, model: type[Model], key: str, name: str, said: str) -> None:
    """Write down what somebody did to a row."""
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type_id=ContentType.objects.get_for_model(model).pk,
        object_id=key,
        object_repr=name[:200],
        action_flag=CHANGE,
        change_message=said,
    )


def told(model: type[Model], key: str) -> list[LogEntry]:
    """Return what was done to a row, the newest first, each with its user."""
    kind = ContentType.objects.get_for_model(model)
    entries = list(
        LogEntry.objects.filter(content_type_id=kind.pk, object_id=key).order_by("-action_time")[
            :LINES
        ]
    )
    name_the_users(entries)
    return entries


def changes_of(form: Any) -> str:
    """Return what a form changes, e.g. ``Changed price from 18.50 to 19.90.``"""
    parts = [
        f"{_label(form, name)} from {_shown(form.initial.get(name))} to "
        f"{_shown(form.cleaned_data.get(name))}"
        for name in form.changed_data
    ]
    return f"Changed {'; '.join(parts)}." if parts else "No fields changed."


def _label(form: Any, name: str) -> str:
    label = form.fields[name].label or name.replace("_", " ")
    return str(label).lower()


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    text = " ".join(str(getattr(value, "pk", value)).split())
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def name_the_users(entries: list[LogEntry]) -> None:
    """Give each entry its user: one single-shard query for each of them, not for each entry."""
    users = get_user_model()
    known: dict[Any, Any] = {}
    for entry in entries:
        key = entry.user_id
        if key not in known:
            try:
                known[key] = users._default_manager.get(pk=key)
            except ObjectDoesNotExist:
                known[key] = users(pk=key, username="(gone)")
        entry.user = known[key]
