import django.db.models.deletion
from django.db import migrations, models

import sharding.ids
from sharding.django.operations import CompositeForeignKey, Distribute


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Stock",
            fields=[
                (
                    "product",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="stock",
                        serialize=False,
                        to="catalog.product",
                    ),
                ),
                ("available", models.BigIntegerField(default=0)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("available__gte", 0)),
                        name="stock_available_not_below_0",
                    )
                ],
            },
        ),
        Distribute("Stock", by="product_id"),
        migrations.CreateModel(
            name="Shelf",
            fields=[],
            options={
                "verbose_name": "stock",
                "verbose_name_plural": "stock",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("catalog.product",),
        ),
        migrations.CreateModel(
            name="StockMovement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "product_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("product_id", models.BigIntegerField()),
                ("id", models.UUIDField(default=sharding.ids.new_id, editable=False)),
                ("delta", models.BigIntegerField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("receipt", "Receipt"),
                            ("adjustment", "Adjustment"),
                            ("import", "Import"),
                            ("order", "Order"),
                            ("cancellation", "Cancellation"),
                        ],
                        max_length=20,
                    ),
                ),
                ("order_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("delta", 0), _negated=True),
                        name="stock_movement_moves_something",
                    )
                ],
            },
        ),
        Distribute("StockMovement", by="product_id", colocate_with="inventory.Stock"),
        CompositeForeignKey(
            "StockMovement",
            columns=("product_id",),
            to="inventory.Stock",
            to_columns=("product_id",),
            on_delete="RESTRICT",
        ),
    ]
