import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a product is for sale, whether it is counted, and which variant of an export it is."""

    dependencies = [("catalog", "0002_search_by_parts")]

    operations = [
        migrations.AddField(
            model_name="product",
            name="handle",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="product",
            name="options",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=255),
                db_default=models.Value([]),
                default=list,
                editable=False,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="status",
            field=models.CharField(
                choices=[("draft", "Draft"), ("active", "Active"), ("archived", "Archived")],
                db_default="active",
                default="active",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="track_inventory",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Off: sold without counting, whatever is in stock.",
            ),
        ),
    ]
