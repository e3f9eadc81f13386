import django.contrib.auth.validators
import django.core.validators
from django.db import migrations, models

import sharding.ids
from sharding.django.operations import CompositeForeignKey, Distribute


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "id",
                    models.UUIDField(
                        default=sharding.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        max_length=150,
                        validators=[
                            django.contrib.auth.validators.UnicodeUsernameValidator(),
                            django.core.validators.MinLengthValidator(3),
                        ],
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("first_name", models.CharField(blank=True, max_length=150)),
                ("last_name", models.CharField(blank=True, max_length=150)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("customer", "Customer"),
                            ("support", "Support"),
                            ("catalog_manager", "Catalog Manager"),
                            ("admin", "Admin"),
                        ],
                        default="customer",
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        Distribute("User", by="id"),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("value", models.TextField(primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
            ],
            options={
                "abstract": False,
            },
        ),
        Distribute("Identity", by="value"),
        migrations.CreateModel(
            name="RefreshToken",
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
                ("family_id", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user_id", "family_id"], name="refresh_token_family")
                ],
            },
        ),
        Distribute("RefreshToken", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "RefreshToken",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="CASCADE",
        ),
    ]
