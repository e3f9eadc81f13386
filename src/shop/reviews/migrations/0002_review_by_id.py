from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The newest reviews of all products, for staff."""

    atomic = False

    dependencies = [("reviews", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name="review", index=models.Index(fields=["id"], name="review_by_id")
        ),
    ]
