"""State machines: a table says which changes are allowed, a guarded UPDATE makes them.

Invariant: a row's state only ever moves along its table. The UPDATE names the states that may be
left, so that of two changes at the same time the row count picks the one that happens.
"""

from collections.abc import Mapping
from typing import TypeAlias

from django.utils import timezone

from shop.core.errors import Conflict, NotFound
from shop.core.models import UserShardedModel

# The states that may follow each state.
Transitions: TypeAlias = Mapping[str, frozenset[str]]


class InvalidTransition(Conflict):
    """From this state that one cannot be reached; the members `from` and `to` name them."""

    code = "invalid_transition"

    def __init__(self, noun: str, *, before: str, after: str) -> None:
        detail = f"This {noun} is {before} and cannot become {after}."
        super().__init__(detail, **{"from": before, "to": after})


def advance(
    row: UserShardedModel, *, field: str, to: str, transitions: Transitions, **also: object
) -> None:
    """Bring a row into another state, in the database and in memory.

    Args:
        field: where the row keeps its state; the row has an `updated_at` too.
        also: what else changes with it.

    Raises:
        InvalidTransition: the state that the row is in now does not allow it.
        NotFound: the row is gone.
    """
    before = [state for state, following in transitions.items() if to in following]
    own = type(row).objects.for_user(row.user_id).filter(id=row.id)
    change = {**also, field: to, "updated_at": timezone.now()}
    if own.filter(**{f"{field}__in": before}).update(**change) == 0:
        noun, now = str(row._meta.verbose_name), own.values_list(field, flat=True).first()
        if now is None:
            raise NotFound(f"This {noun} is gone.")
        raise InvalidTransition(noun, before=now, after=to)
    for name, value in change.items():
        setattr(row, name, value)
