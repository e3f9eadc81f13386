from django.db import migrations, models

from sharding.django.operations import Distribute


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SentMail",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "user_id",
                        "kind",
                        "subject_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("order_confirmation", "Order Confirmation"),
                            ("payment_failed", "Payment Failed"),
                            ("shipped", "Shipped"),
                        ],
                        max_length=32,
                    ),
                ),
                ("subject_id", models.UUIDField()),
                ("sent_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        Distribute("SentMail", by="user_id", colocate_with="accounts.User"),
    ]
