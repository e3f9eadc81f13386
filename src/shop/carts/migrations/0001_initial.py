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
            name="ShoppingCart",
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
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user_id",), name="cart_per_user")],
            },
        ),
        Distribute("ShoppingCart", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="CartItem",
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
                ("quantity", models.PositiveIntegerField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.product",
                    ),
                ),
                (
                    "cart",
                    sharding.django.models.ShardForeignObject(
                        from_fields=["user_id", "cart_id"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="items",
                        to="carts.shoppingcart",
                        to_fields=["user_id", "id"],
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user_id", "cart_id", "product"), name="cart_item_per_product"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 1), ("quantity__lte", 999)),
                        name="cart_item_quantity",
                    ),
                ],
            },
        ),
        Distribute("CartItem", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "ShoppingCart",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="CASCADE",
        ),
        CompositeForeignKey(
            "CartItem",
            columns=("user_id", "cart_id"),
            to="carts.ShoppingCart",
            to_columns=("user_id", "id"),
            on_delete="CASCADE",
        ),
    ]
