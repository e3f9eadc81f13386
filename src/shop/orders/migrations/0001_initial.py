import django.db.models.deletion
from django.db import migrations, models

import sharding.django.models
import sharding.ids
from sharding.django.operations import CompositeForeignKey, Distribute


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("catalog", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("id", models.UUIDField(default=sharding.ids.new_id, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("cart_id", models.UUIDField()),
                (
                    "order_status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("paid", "Paid"),
                            ("shipped", "Shipped"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                            ("refunded", "Refunded"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("total_amount", models.DecimalField(decimal_places=2, max_digits=20)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user_id", "cart_id"), name="order_per_cart"),
                    models.CheckConstraint(
                        condition=models.Q(("total_amount__gte", 0)), name="order_total_not_below_0"
                    ),
                ],
                "indexes": [
                    models.Index(fields=["id"], name="order_by_id"),
                    models.Index(
                        fields=["id"],
                        name="order_pending",
                        condition=models.Q(("order_status", "pending")),
                    ),
                ],
            },
        ),
        Distribute("Order", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="OrderEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("id", models.UUIDField(default=sharding.ids.new_id, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("order_id", models.UUIDField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("paid", "Paid"),
                            ("shipped", "Shipped"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                            ("refunded", "Refunded"),
                        ],
                        max_length=20,
                    ),
                ),
                ("details", models.JSONField(default=dict)),
                (
                    "order",
                    sharding.django.models.ShardForeignObject(
                        from_fields=["user_id", "order_id"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="orders.order",
                        to_fields=["user_id", "id"],
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user_id", "order_id", "id"], name="order_event_by_order")
                ],
            },
        ),
        Distribute("OrderEvent", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="OrderItem",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("id", models.UUIDField(default=sharding.ids.new_id, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("order_id", models.UUIDField()),
                ("product_name", models.CharField(max_length=255)),
                ("quantity", models.PositiveIntegerField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "order",
                    sharding.django.models.ShardForeignObject(
                        from_fields=["user_id", "order_id"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="items",
                        to="orders.order",
                        to_fields=["user_id", "id"],
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.product",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user_id", "order_id", "product"), name="order_item_per_product"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 1)), name="order_item_quantity"
                    ),
                ],
            },
        ),
        Distribute("OrderItem", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "Order",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="RESTRICT",
        ),
        CompositeForeignKey(
            "OrderItem",
            columns=("user_id", "order_id"),
            to="orders.Order",
            to_columns=("user_id", "id"),
            on_delete="CASCADE",
        ),
        CompositeForeignKey(
            "OrderEvent",
            columns=("user_id", "order_id"),
            to="orders.Order",
            to_columns=("user_id", "id"),
            on_delete="CASCADE",
        ),
    ]
