from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from sharding.django.expand_contract.operations import AddUniqueConcurrently


class Migration(migrations.Migration):
    """One product for a handle and its options, and an index of those that are not for sale."""

    atomic = False
    allowed = {"new-unique": "no release before this one writes a handle"}

    dependencies = [("catalog", "0003_product_status")]

    operations = [
        AddIndexConcurrently(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status", "active"), _negated=True),
                fields=["id"],
                name="product_not_for_sale",
            ),
        ),
        AddUniqueConcurrently(
            model_name="product",
            constraint=models.UniqueConstraint(
                fields=("handle", "options"), name="product_variant"
            ),
        ),
    ]
