from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The orders of a product, for staff."""

    atomic = False

    dependencies = [("orders", "0002_orderitem_from_stock")]

    operations = [
        AddIndexConcurrently(
            model_name="orderitem",
            index=models.Index(fields=["product", "id"], name="order_item_by_product"),
        ),
    ]
