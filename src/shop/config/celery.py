"""The Celery application: what a worker, beat, and whoever hands over a task have in common."""

import fcntl
import os
from typing import IO, Any

from celery import Celery
from celery.signals import beat_init, setup_logging

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
