"""Keeping the published stock near the real one; loading what staff have uploaded."""

from datetime import timedelta

from django.utils import timezone

from shop.core.tasks import MAINTENANCE, NEVER, task
from shop.inventory import uploads
from shop.inventory.publishing import publish_changes

# Some turns may be missed; the daily one looks at every shelf.
LOOK_BACK = timedelta(minutes=10)


@task(queue=MAINTENANCE, retry=NEVER)
def publish_changed_stock() -> None:
    """Publish the stock of products that were moved lately."""
    publish_changes(since=timezone.now() - LOOK_BACK)


@task(queue=MAINTENANCE, retry=NEVER)
def publish_all_stock() -> None:
    """Publish the stock of all products."""
    publish_changes()


@task(queue=MAINTENANCE, retry=NEVER)
def load_export(key: str) -> None:
    """Load an export that staff have uploaded and looked at."""
    uploads.load(key)
