"""Orders, their lines, and what happened to them."""

from typing import Any, ClassVar

from django.db import models

from sharding.django.models import ShardForeignObject
from shop.catalog.models import Product
from shop.core.models import UserShardedModel
from shop.core.states import Transitions, advance


class Order(UserShardedModel):
    """A placed order. Its `cart_id` is unique per user: a cart becomes an order once."""

    class Status(models.TextChoices):
        PENDING = "pending"
        PAID = "paid"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        CANCELLED = "cancelled"
        REFUNDED = "refunded"

    transitions: ClassVar[Transitions] = {
        Status.PENDING: frozenset({Status.PAID, Status.CANCELLED}),
        Status.PAID: frozenset({Status.SHIPPED, Status.CANCELLED, Status.REFUNDED}),
        Status.SHIPPED: frozenset({Status.DELIVERED, Status.REFUNDED}),
        Status.DELIVERED: frozenset({Status.REFUNDED}),
        Status.CANCELLED: frozenset(),
        Status.REFUNDED: frozenset(),
    }

    cart_id = models.UUIDField()
    order_status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    total_amount = models.DecimalField(max_digits=20, decimal_places=2)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_id", "cart_id"], name="order_per_cart"),
            models.CheckConstraint(
                condition=models.Q(total_amount__gte=0), name="order_total_not_below_0"
            ),
        ]
        # For staff, who page through the orders of all users: each shard reads its newest alone.
        indexes = [
            models.Index(fields=["id"], name="order_by_id"),
            # For what looks after orders that nobody pays.
            models.Index(
                fields=["id"], name="order_pending", condition=models.Q(order_status="pending")
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def payment_status(self) -> str:
        """How its newest payment stands: the one that is in force, or was last."""
        if hasattr(self, "newest_payment"):  # asked for with the order
            return str(self.newest_payment or "")
        newest = max(self.payments.all(), key=lambda payment: payment.id, default=None)
        return newest.status if newest else ""

    def become(self, status: str, **details: str) -> None:
        """Change the order's status and write it into its history; both or neither.

        Belongs into the transaction of what the change brings with it.

        Args:
            details: what the history is to remember, e.g. ``by="customer"``.

        Raises:
            InvalidTransition: the order's status of this moment does not allow it.
        """
        advance(self, field="order_status", to=status, transitions=self.transitions)
        OrderEvent.objects.create(
            user_id=self.user_id, order_id=self.id, status=status, details=details
        )


class OrderItem(UserShardedModel):
    """A line of an order, with the product's name and price of that moment."""

    order_id = models.UUIDField()
    order = ShardForeignObject(Order, by=("user_id", "order_id"), related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", db_index=False)
    product_name = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    # Whether its units were taken off the shelf: only these go back to it.
    from_stock = models.BooleanField(default=True, db_default=True)

    class Meta:
        # For staff, who look for the orders of a product; each shard reads its newest alone.
        indexes = [models.Index(fields=["product", "id"], name="order_item_by_product")]
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "order_id", "product"], name="order_item_per_product"
            ),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="order_item_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_name}"


class OrderEvent(UserShardedModel):
    """One entry of an order's history."""

    order_id = models.UUIDField()
    order = ShardForeignObject(Order, by=("user_id", "order_id"), related_name="events")
    status = models.CharField(max_length=20, choices=Order.Status.choices)
    details: Any = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["user_id", "order_id", "id"], name="order_event_by_order")]

    def __str__(self) -> str:
        return f"{self.order_id} became {self.status}"
