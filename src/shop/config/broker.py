"""How to reach the message broker, by the kind of it."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

# After this many seconds Redis gives a task that nobody acknowledged to another worker. No task
# may run longer, and no retry may wait longer (shop.core.tasks).
VISIBILITY_TIMEOUT = 300


def beside(url: str, *, database: int) -> str:
    """Return the URL of another database of the same Redis."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))


def transport_options(url: str) -> dict[str, Any]:
    """Return the options for this broker; times are in seconds."""
    if urlsplit(url).scheme.startswith(("redis", "rediss")):
        return {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            # Look for abandoned tasks every 10 s, and not at every tenth look alone.
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
            "socket_timeout": 10,
            "socket_keepalive": True,
        }
    # RabbitMQ gives back by itself what a lost worker held; a task counts as taken when it says so.
    return {"confirm_publish": True}
