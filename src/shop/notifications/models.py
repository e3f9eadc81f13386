"""Which mails were sent."""

from typing import Any, ClassVar

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
