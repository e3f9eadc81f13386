"""Every task is named, timed and counted; what it does finds the id of the request it follows from.

The id travels in the task's message, and with the event in the outbox. A task that follows from no
request, as those of beat, has its own id in its place.
"""

import logging
import time
from contextvars import Token
from datetime import datetime
from typing import Any

from celery.signals import after_task_publish, before_task_publish, task_postrun, task_prerun
from django.conf import settings
from prometheus_client import Counter, Histogram

from sharding.django import work
from sharding.django.work import Work
from shop.core import metrics, tasks
from shop.core.logging import about, request_id
from shop.core.observing import ACCEPTABLE_ID

logger = logging.getLogger(__name__)

SENT = Counter("shardmart_tasks_sent_total", "Tasks put into their queue, retries too.", ["task"])
DURATION = Histogram(
    "shardmart_task_duration_seconds",
    "How long tasks ran.",
    ["task", "queue", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 270),
)
WAIT = Histogram(
    "shardmart_task_wait_seconds",
    "From when a task was sent, or due, to when it began.",
    ["queue"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600),
)
OUTCOMES = {"SUCCESS": "success", "RETRY": "retry"}  # whatever else there is: failure


class TaskWork(Work):
    """What one task asks of the databases; when it began, and what to put back when it ends."""

    __slots__ = ("began", "request_id", "task", "tokens", "waited")

    def __init__(self, request_id: str, task: str, waited: float) -> None:
        super().__init__()
        self.request_id = request_id
        self.task = task
        self.began = time.perf_counter()
        self.waited = waited
        self.tokens: list[tuple[Any, Token[Any]]] = []

    def names(self) -> dict[str, str]:
        return {"request_id": self.request_id, "task": self.task}


@before_task_publish.connect
def label(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Note in a message whose request it follows from, and since when it waits."""
    if headers is None or "task" not in headers:
        return
    headers["request_id"] = request_id.get() or headers.get("request_id", "")
    eta = headers.get("eta")
    headers["waits_since"] = datetime.fromisoformat(eta).timestamp() if eta else time.time()


@after_task_publish.connect
def count_sent(sender: str, **_: Any) -> None:
    """Count a task that the broker took."""
    if tasks.queue_of(sender):
        SENT.labels(sender).inc()


@task_prerun.connect
def begin(task_id: str, task: Any, **_: Any) -> None:
    """Let all that the task does say what it belongs to."""
    given = str(_header(task.request, "request_id") or "")
    own = given if ACCEPTABLE_ID.fullmatch(given) else task_id
    since = _header(task.request, "waits_since")
    waited = max(time.time() - since, 0.0) if isinstance(since, float) else 0.0
    doing = TaskWork(own, task.name, waited)
    doing.tokens = [
        (request_id, request_id.set(own)),
        (work.current, work.current.set(doing)),
        (about, about.set({"task": task.name})),
    ]
    task.request.work = doing


@task_postrun.connect
def end(task: Any, state: str | None = None, **_: Any) -> None:
    """Count the task, and write its line."""
    doing = getattr(task.request, "work", None)
    if not isinstance(doing, TaskWork):
        return
    seconds = time.perf_counter() - doing.began
    outcome = OUTCOMES.get(state or "", "failure")
    queue = tasks.queue_of(task.name) or "other"
    if settings.METRICS:
        WAIT.labels(queue).observe(doing.waited)
        DURATION.labels(task.name, queue, outcome).observe(seconds)
        metrics.count_queries(task.name, doing)
    if settings.ACCESS_LOG:
        logger.info("task ended", extra=_figures(doing, queue, outcome, seconds))
    for variable, token in reversed(doing.tokens):
        variable.reset(token)


def _header(request: Any, name: str) -> Any:
    """Return a header of the task's message; one that is applied right here has them apart."""
    return getattr(request, name, None) or (request.headers or {}).get(name)


def _figures(doing: TaskWork, queue: str, outcome: str, seconds: float) -> dict[str, Any]:
    return {
        "queue": queue,
        "outcome": outcome,
        "waited_ms": round(doing.waited * 1000, 1),
        "duration_ms": round(seconds * 1000, 2),
        "db_ms": round(doing.seconds * 1000, 2),
        "db_queries": doing.queries,
        "db_aliases": list(doing.spent),
    }
