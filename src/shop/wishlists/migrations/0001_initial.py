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
            name="Wishlist",
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user_id",), name="wishlist_per_user")
                ],
            },
        ),
        Distribute("Wishlist", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="WishlistItem",
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
                ("wishlist_id", models.UUIDField()),
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
                    "wishlist",
                    sharding.django.models.ShardForeignObject(
                        from_fields=["user_id", "wishlist_id"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="items",
                        to="wishlists.wishlist",
                        to_fields=["user_id", "id"],
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user_id", "wishlist_id", "product"),
                        name="wishlist_item_per_product",
                    )
                ],
            },
        ),
        Distribute("WishlistItem", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "Wishlist",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="CASCADE",
        ),
        CompositeForeignKey(
            "WishlistItem",
            columns=("user_id", "wishlist_id"),
            to="wishlists.Wishlist",
            to_columns=("user_id", "id"),
            on_delete="CASCADE",
        ),
    ]
