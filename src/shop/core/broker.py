"""Handing tasks to the message broker, by name: whoever sends needs no code of who receives."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from celery import current_app
from kombu.exceptions import KombuError, OperationalError

# What may happen when the broker is gone, refuses, or hangs up.
BROKER_ERRORS = (OperationalError, KombuError, OSError)


def send(task: str, kwargs: dict[str, Any]) -> None:
    """Put a task into its queue, with one attempt.

    Raises:
        LookupError: no task has this name.
        one of BROKER_ERRORS: the broker did not take it, as far as is known.
    """
    if task not in current_app.tasks:
        raise LookupError(f"There is no task {task!r}.")
    current_app.tasks[task].apply_async(kwargs=kwargs, retry=False)


def hand_over(user_id: UUID, event_id: UUID, subscribers: Iterable[str]) -> None:
    """Send one task per subscriber of an event. One that does not exist keeps it from no other.

    Raises:
        LookupError: no task has one of these names; the others were sent theirs.
        one of BROKER_ERRORS: as `send`; the rest was not sent.
    """
    unknown = []
    for name in subscribers:
        try:
            send(name, {"user_id": str(user_id), "event_id": str(event_id)})
        except LookupError as error:
            unknown.append(str(error))
    if unknown:
        raise LookupError(" ".join(unknown))
