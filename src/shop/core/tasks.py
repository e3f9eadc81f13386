"""What every task has in common, and the tasks of the outbox and of cleaning up.

A task belongs to a queue, which fixes how long it may run; and has a rule by which it is tried
again. After the last try it becomes a dead letter. A worker acknowledges a task when it is done
with it, so a task runs at least once, and every task can bear to run twice.

Invariant: what follows from an event comes late rather than never. A task that something it needs
does not answer leaves its event on the outbox, which hands it over again for about a day, in
pauses that grow (`shop.core.outbox`). Dead letters are for what trying again does not mend.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from celery import Task as CeleryTask
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
from django.conf import settings
from django.db import Error
from django.utils import timezone
from prometheus_client import Counter

from shop.core import dead_letters, outbox
from shop.core.broker import BROKER_ERRORS
from shop.core.db import is_unavailable, leave_lost_connections
from shop.core.models import OutboxEvent
from shop.core.purging import perishable, purge

logger = logging.getLogger(__name__)

GIVEN_UP = Counter(
    "shardmart_tasks_given_up_total",
    "Tasks that became a dead letter; of periodic ones, failed turns.",
    ["task"],
)

# By whom a task waits for; each has processes of its own, which no other's slowness holds up.
CRITICAL = "critical"  # the payment gateway
SWEEP = "sweep"  # nobody: what was lost on the way is found and handed over
DEFAULT = "default"  # nobody
MAIL = "mail"  # the mail server
WEBHOOKS = "webhooks"  # merchants
MAINTENANCE = "maintenance"  # its own length


class Limits(NamedTuple):
    """Seconds after which a task is interrupted, and after which its process is killed."""

    soft: int
    hard: int


# All below the broker's visibility timeout (settings.CELERY_BROKER_TRANSPORT_OPTIONS).
LIMITS = {
    CRITICAL: Limits(30, 45),
    SWEEP: Limits(30, 45),
    DEFAULT: Limits(30, 45),
    MAIL: Limits(30, 45),
    WEBHOOKS: Limits(30, 45),
    MAINTENANCE: Limits(240, 270),
}


class Retry(NamedTuple):
    """How often a task is tried again: waits double from `first`, with jitter, in seconds."""

    times: int
    first: int = 2
    longest: int = 60


STANDARD = Retry(times=6)
NEVER = Retry(times=0)  # of periodic tasks: the next turn is the next try

_queues: dict[str, str] = {}  # by the name of the task


class Permanent(Exception):
    """Trying again would not help: the task becomes a dead letter at once."""


class NotNow(Exception):
    """What the task needs does not answer; hours later it may."""


# Besides a database that does not answer. An OSError is a mail server or any other one.
PASSING = (NotNow, OSError, *BROKER_ERRORS, SoftTimeLimitExceeded, TimeLimitExceeded)


def may_pass(error: BaseException) -> bool:
    """Tell whether waiting may mend what a task failed for."""
    return isinstance(error, PASSING) or is_unavailable(error)


class _Left(Exception):
    """A task that waiting may help, and that has waited before: the outbox goes on with it."""


class Task(CeleryTask[..., None]):
    """The base of all tasks: what happens when one fails."""

    acks_late = True
    ignore_result = True
    reject_on_worker_lost = True
    retry_on_worker_lost = True  # counted, so that a task that kills its process ends as well
    autoretry_for = (Exception,)
    dont_autoretry_for = (Permanent, _Left)
    retry_backoff: int
    retry_backoff_max: int
    retry_jitter = True

    def on_failure(
        self, exc: BaseException, task_id: str, args: Any, kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Make a dead letter of what has exhausted its tries."""
        GIVEN_UP.labels(self.name).inc()
        if not self.max_retries:
            logger.error("a periodic task failed; its next turn will try again", exc_info=exc)
            return
        logger.error("a task was given up", exc_info=exc, extra={"task": self.name})
        self.give_up(kwargs, error=f"{type(exc).__name__}: {exc}", cause=exc)

    def give_up(self, kwargs: dict[str, Any], *, error: str, cause: BaseException) -> None:
        """Keep the task as a dead letter."""
        dead_letters.bury_task(task=self.name, kwargs=kwargs, error=error, tries=self.tries)

    @property
    def tries(self) -> int:
        """How often this task was begun."""
        return int(self.request.retries or 0) + 1


class EventTask(Task):
    """The base of tasks that follow from an event of the outbox."""

    throws = (_Left,)  # expected, and said by `on_failure`: no error in the log

    def on_retry(
        self, exc: BaseException, task_id: str, args: Any, kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Keep the sweep away while this retry is waiting.

        If that fails, for the database that the task failed for, the subscriber is told twice.
        """
        pause = getattr(getattr(einfo, "exception", None), "when", None)
        seconds = pause if isinstance(pause, int | float) else self.retry_backoff_max
        wait = timedelta(seconds=seconds) + settings.OUTBOX_REDELIVER_AFTER
        leave_lost_connections()
        try:
            outbox.hold_off(**_address(kwargs), wait=wait)
        except Error as error:
            logger.warning("the sweep cannot be kept from an event", exc_info=error)

    def on_failure(
        self, exc: BaseException, task_id: str, args: Any, kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Leave the event on the outbox if waiting may help; else make a dead letter."""
        if isinstance(exc, _Left) or may_pass(exc):
            logger.warning("an event is left to the sweep", exc_info=exc.__cause__ or exc)
        else:
            super().on_failure(exc, task_id, args, kwargs, einfo)

    def give_up(self, kwargs: dict[str, Any], *, error: str, cause: BaseException) -> None:
        """Keep it as a dead letter, and the event from the sweep."""
        dead_letters.bury_delivery(
            **_address(kwargs), subscriber=self.name, error=error, tries=self.tries
        )


def task(*, queue: str, retry: Retry = STANDARD) -> Callable[[Callable[..., None]], Any]:
    """Declare a task, named ``<room>.<function>``; its arguments are keywords and JSON."""
    return lambda function: _declared(function, function.__name__, queue, retry, Task)


def event_task(
    *, queue: str, retry: Retry = STANDARD
) -> Callable[[Callable[[OutboxEvent], None]], Any]:
    """Declare a task that handles events; `outbox.subscribe` says which.

    The function runs outside any transaction. When it returns, the event counts as handled by it;
    it may still be called again for the same event, even at the same moment.
    """

    def declare(handler: Callable[[OutboxEvent], None]) -> Any:
        name = _name(handler)

        def deliver(*, user_id: str, event_id: str) -> None:
            address = _address({"user_id": user_id, "event_id": event_id})
            event = outbox.waiting_event(**address, subscriber=name)
            if event is None:
                return  # handled before, or gone with its user
            try:
                handler(event)
            except Exception as error:
                # Tried again in quick succession once, not at each of the growing pauses.
                if event.handovers > 1 and may_pass(error):
                    raise _Left from error
                raise
            outbox.settle(**address, subscriber=name)

        deliver.__doc__ = handler.__doc__
        deliver.__module__ = handler.__module__
        return _declared(deliver, handler.__name__, queue, retry, EventTask)

    return declare


def route(name: str, *args: Any, **kwargs: Any) -> dict[str, str] | None:
    """Return where a task goes, as settings.CELERY_TASK_ROUTES asks it."""
    return {"queue": _queues[name]} if name in _queues else None


def queue_of(name: str) -> str:
    """Return the queue of a task; empty if no task of ours has this name."""
    return _queues.get(name, "")


def consume_now(task: Any, event: OutboxEvent) -> None:
    """Run an event task in this process, as a worker would, but let its errors out."""
    task.run(user_id=str(event.user_id), event_id=str(event.id))


def _declared(
    function: Callable[..., None], name: str, queue: str, retry: Retry, base: type[Task]
) -> Any:
    limits = LIMITS[queue]
    _queues[_name(function, name)] = queue
    declare = shared_task(
        name=_name(function, name),
        base=base,
        max_retries=retry.times,
        retry_backoff=retry.first,
        retry_backoff_max=retry.longest,
        default_retry_delay=retry.first,
        autoretry_for=base.autoretry_for if retry.times else (),
        soft_time_limit=limits.soft,
        time_limit=limits.hard,
    )
    return declare(function)


def _name(function: Callable[..., None], name: str = "") -> str:
    _, room, *_ = function.__module__.split(".")
    return f"{room}.{name or function.__name__}"


def _address(kwargs: dict[str, Any]) -> dict[str, UUID]:
    return {name: UUID(str(kwargs[name])) for name in ("user_id", "event_id")}


@task(queue=SWEEP, retry=NEVER)
def sweep_outbox() -> None:
    """Hand over the events that are due: not enqueued on commit, or not handled since."""
    try:
        for event in outbox.sweep():
            dead_letters.bury_event(event)
    except BROKER_ERRORS as error:
        logger.warning("the broker takes nothing; the events stay due", exc_info=error)


@task(queue=MAINTENANCE, retry=NEVER)
def purge_expired() -> None:
    """Remove what has had its time, in small batches; what is left waits for the next turn."""
    now = timezone.now()
    for model in perishable():
        removed = sum(purge(model, now=now, batch_size=1000))
        logger.info("purged", extra={"model": model._meta.label, "rows": removed})
