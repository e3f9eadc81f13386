import django.db.models.deletion
from django.db import migrations, models

import sharding.django.models
import sharding.ids
from sharding.django.operations import CompositeForeignKey, Distribute


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Payment",
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
                    "payment_method",
                    models.CharField(
                        choices=[
                            ("card", "Card"),
                            ("paypal", "Paypal"),
                            ("bank_transfer", "Bank Transfer"),
                        ],
                        max_length=20,
                    ),
                ),
                ("token", models.CharField(blank=True, max_length=255)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("refunded", "Refunded"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("asked_at", models.DateTimeField(null=True)),
                (
                    "order",
                    sharding.django.models.ShardForeignObject(
                        from_fields=["user_id", "order_id"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="payments",
                        to="orders.order",
                        to_fields=["user_id", "id"],
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["user_id", "order_id"], name="payment_by_order")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)), name="payment_amount_not_below_0"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["pending", "succeeded"])),
                        fields=("user_id", "order_id"),
                        name="payment_one_in_force",
                    ),
                ],
            },
        ),
        Distribute("Payment", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "event_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("event_id", models.CharField(max_length=255)),
                ("type", models.CharField(max_length=64)),
                ("payment_id", models.UUIDField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        Distribute("WebhookEvent", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "Payment",
            columns=("user_id", "order_id"),
            to="orders.Order",
            to_columns=("user_id", "id"),
            on_delete="RESTRICT",
        ),
        CompositeForeignKey(
            "WebhookEvent",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="CASCADE",
        ),
    ]
