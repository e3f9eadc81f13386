"""The Celery application: what a worker, beat, and whoever hands over a task have in common."""

import fcntl
import os
from pathlib import Path
from typing import IO, Any

from celery import Celery
from celery.signals import (
    after_task_publish,
    beat_init,
    heartbeat_sent,
    setup_logging,
    worker_init,
    worker_process_shutdown,
    worker_ready,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_held: list[IO[str]] = []  # a lock is released when its file is closed


@setup_logging.connect
def log_as_django_does(**kwargs: Any) -> None:
    """Keep Celery from setting up logging its own way: one JSON object per line, everywhere."""
    from logging.config import dictConfig  # noqa: PLC0415 - in a worker alone

    from django.conf import settings  # noqa: PLC0415 - they read this module's package

    dictConfig(settings.LOGGING)


@worker_init.connect
def forget_earlier_figures(**kwargs: Any) -> None:
    """Begin with figures at 0, before any process of this worker writes its own."""
    from shop.core import metrics  # noqa: PLC0415 - after Django's setup

    metrics.begin_anew(keep=[os.getpid()])


@worker_ready.connect
def show_figures(**kwargs: Any) -> None:
    """Answer /metrics for the whole worker, where METRICS_BIND says so."""
    from shop.core import metrics  # noqa: PLC0415

    if bind := os.environ.get("METRICS_BIND"):
        metrics.serve(bind, metrics.registry())


@heartbeat_sent.connect
def note_the_heartbeat(**kwargs: Any) -> None:
    """Touch HEARTBEAT_FILE, whose age shows a health check that worker and broker are alive."""
    if name := os.environ.get("HEARTBEAT_FILE"):
        Path(name).touch()


@worker_process_shutdown.connect
def leave_the_sums(pid: int, **kwargs: Any) -> None:
    """Take what counts the living alone out of the figures; counts of the dead stay."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


@beat_init.connect
def be_the_only_beat(**kwargs: Any) -> None:
    """Refuse to be a second beat on this machine; the kernel lets go of the lock of a dead one.

    Two beats would do no harm, every periodic task may run twice, but twice the work.
    """
    schedule = str(app.conf.beat_schedule_filename)
    file = open(f"{schedule}.lock", "w")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"Another beat is at work with {schedule}.") from None
    _held.append(file)
    after_task_publish.connect(note_what_is_sent)


def note_what_is_sent(**kwargs: Any) -> None:
    """Touch a file beside the schedule, whose age shows that beat is alive, and the broker.

    The schedule's own file does not: what Python's shelve keeps it in, Berkeley DB or SQLite,
    writes it when it likes.
    """
    Path(f"{app.conf.beat_schedule_filename}.sent").touch()
