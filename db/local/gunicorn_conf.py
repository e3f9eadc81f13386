"""gunicorn's settings for an app server of the local stack; addresses come from the environment."""

import os
from pathlib import Path
from typing import Any

from prometheus_client.multiprocess import mark_process_dead

bind = os.environ["APP_BIND"]
worker_class = "gthread"
workers = int(os.environ["APP_WORKERS"])
threads = int(os.environ["APP_THREADS"])

# Only HAProxy on this machine is believed when it says who the client is.
forwarded_allow_ips = "127.0.0.1"
# Not even it says under which path the application lies, or whom it asks for.
forwarder_headers = ""

# A request line holds a cursor and some filters; a header field, a token.
limit_request_line = 8190  # bytes
limit_request_fields = 64
limit_request_field_size = 8190  # bytes

# HAProxy makes a connection for each request. nginx, where it stands instead, keeps idle ones for
# 15 s: it is never this side that closes one just as the next request is sent on it.
keepalive = 60
# Above statement_timeout (15 s) and HAProxy's own timeout (30 s).
timeout = 60
graceful_timeout = 30

# The heartbeat file on a disk can block a worker for seconds.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - made for it

# HAProxy logs what went wrong, the application what it did.
accesslog = None
errorlog = "-"

# What gunicorn itself says is a JSON object per line as well.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "level": "INFO", "propagate": False}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}

# supervisord manages the process; a second way in is not needed.
control_socket_disable = True

# The processes of a server put their figures here, to be summed by whoever is asked (/metrics).
figures = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")


def on_starting(server: Any) -> None:
    """Begin with figures at 0: those of an earlier start belong to processes that are gone."""
    if figures:
        Path(figures).mkdir(parents=True, exist_ok=True)
        for file in Path(figures).glob("*.db"):
            file.unlink(missing_ok=True)


def child_exit(server: Any, worker: Any) -> None:
    """Take what counts the living alone out of the figures; counts of the dead stay."""
    if figures:
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
