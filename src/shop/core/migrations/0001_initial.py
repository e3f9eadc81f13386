import django.contrib.postgres.fields
from django.db import migrations, models

import sharding.ids
from sharding.django.operations import CompositeForeignKey, Distribute


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("body", models.TextField()),
                ("location", models.CharField(blank=True, max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        Distribute("IdempotencyKey", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="OutboxEvent",
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
                ("topic", models.CharField(max_length=64)),
                ("payload", models.JSONField()),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "waiting_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), default=list, size=None
                    ),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("handovers", models.PositiveSmallIntegerField(db_default=0, default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="outbox_due",
                    )
                ],
            },
        ),
        Distribute("OutboxEvent", by="user_id", colocate_with="accounts.User"),
        migrations.CreateModel(
            name="DeadLetter",
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
                ("task", models.CharField(max_length=100)),
                ("kwargs", models.JSONField()),
                ("event_id", models.UUIDField(null=True)),
                ("error", models.CharField(max_length=500)),
                ("tries", models.PositiveSmallIntegerField()),
            ],
            options={
                "abstract": False,
            },
        ),
        Distribute("DeadLetter", by="user_id", colocate_with="accounts.User"),
        CompositeForeignKey(
            "IdempotencyKey",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="CASCADE",
        ),
        CompositeForeignKey(
            "OutboxEvent",
            columns=("user_id",),
            to="accounts.User",
            to_columns=("id",),
            on_delete="RESTRICT",
        ),
    ]
