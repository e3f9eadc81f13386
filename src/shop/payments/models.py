"""Payments of orders."""

from django.db import models

from sharding.django.models import ShardForeignObject
from shop.core.models import UserShardedModel


class Payment(UserShardedModel):
    """An amount due for an order, and how it stands."""

    class Method(models.TextChoices):
        CARD = "card"
        PAYPAL = "paypal"
        BANK_TRANSFER = "bank_transfer"

    class Status(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        REFUNDED = "refunded"

    order_id = models.UUIDField()
    order = ShardForeignObject("orders.Order", by=("user_id", "order_id"), related_name="payments")
    payment_method = models.CharField(max_length=20, choices=Method.choices)
    token = models.CharField(max_length=255, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["user_id", "order_id"], name="payment_by_order")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gte=0), name="payment_amount_not_below_0"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} by {self.payment_method}"
