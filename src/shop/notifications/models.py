"""Which mails were sent."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from sharding.django.models import DistributedModel
from sharding.django.placement import Distributed, Placement
from shop.core.models import UserQuerySet


class SentMail(DistributedModel):
    """A mail that was handed to the mail server. Its key is why nobody gets it twice."""

    class Kind(models.TextChoices):
        ORDER_CONFIRMATION = "order_confirmation"
        PAYMENT_FAILED = "payment_failed"
        SHIPPED = "shipped"
        ORDER_CANCELLED = "order_cancelled"

    placement: ClassVar[Placement] = Distributed(by="user_id", colocate_with="accounts.User")

    pk = models.CompositePrimaryKey("user_id", "kind", "subject_id")
    user_id = models.UUIDField()
    kind = models.CharField(max_length=32, choices=Kind.choices)
    subject_id = models.UUIDField()  # the order; of a failed payment, the payment
    sent_at = models.DateTimeField()

    objects: ClassVar[Any] = UserQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the rows that `manage.py purge_expired` removes."""
        return models.Q(sent_at__lte=now - settings.SENT_MAIL_LIFETIME)
