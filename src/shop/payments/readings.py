"""How much money has to go back, as figures."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone

from sharding.django.readings import Figure, Reading
from shop.payments.models import Payment

REFUNDS_DUE = Figure(
    "shardmart_due_refunds",
    "Payments whose money has to go back and has not yet; bank transfers wait for a person.",
    ("payment_method",),
)
OLDEST_REFUND_DUE = Figure(
    "shardmart_due_refunds_oldest_seconds",
    "How long the oldest of them has been due; 0 if there is none.",
)


def refunds_due() -> Iterator[Reading]:
    """Yield how many refunds are due, and how long. Asks every shard, by an index of its own."""
    due = Payment.objects.cross_shard().filter(status=Payment.Status.REFUND_DUE)
    rows = due.values("payment_method").annotate(count=Count("id"), since=Min("updated_at"))
    found = {row["payment_method"]: row for row in rows}
    for method in Payment.Method.values:
        yield Reading(REFUNDS_DUE, found[method]["count"] if method in found else 0, (method,))
    now = timezone.now()
    ages = [(now - row["since"]).total_seconds() for row in found.values()]
    yield Reading(OLDEST_REFUND_DUE, max(ages, default=0.0))
