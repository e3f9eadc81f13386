from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a line's units were taken off the shelf."""

    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="orderitem",
            name="from_stock",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
