import django.contrib.postgres.fields
from django.db import migrations, models

import sharding.ids
from sharding.django.operations import CompositeForeignKey, Distribute, Reference


class Migration(migrations.Migration):
    initial = True

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("url", models.CharField(max_length=500)),
                (
                    "topics",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), size=None
                    ),
                ),
                ("description", models.CharField(blank=True, max_length=200)),
                ("secret", models.CharField(editable=False, max_length=100)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        Reference("WebhookEndpoint"),
        migrations.CreateModel(
            name="WebhookDelivery",
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
                ("endpoint_id", models.BigIntegerField()),
                ("event_id", models.UUIDField()),
                ("topic", models.CharField(max_length=64)),
                ("body", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("attempts", models.JSONField(default=list)),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "indexes": [
                    models.Index(fields=["endpoint_id", "id"], name="webhook_delivery_by_endpoint"),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="webhook_delivery_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user_id", "event_id", "endpoint_id"), name="webhook_delivery_once"
                    )
                ],
            },
        ),
        Distribute("WebhookDelivery", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "WebhookDelivery",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="RESTRICT",
        ),
    ]
