"""What beat starts, and how often. A task that is not begun before its next turn is dropped."""

from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600  # seconds


def every(seconds: int, task: str) -> dict[str, Any]:
    """Return an entry of the schedule: runs do not pile up behind a worker that is gone."""
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}


BEAT_SCHEDULE = {
    "cancel unpaid orders": every(MINUTE, "checkout.cancel_unpaid"),
    "deliver webhooks": every(10, "webhooks.deliver_due"),
    "sweep the outbox": every(5, "core.sweep_outbox"),
    "publish stock": every(MINUTE, "inventory.publish_changed_stock"),
    "publish all stock": every(DAY, "inventory.publish_all_stock"),
    "purge what has expired": every(HOUR, "core.purge_expired"),
}
