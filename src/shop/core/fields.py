"""Fields that the serializers of several rooms share."""

from typing import Any

from rest_framework import serializers

BIGINT_MAX = 2**63 - 1


class CatalogIdField(serializers.IntegerField):
    """The id of a category or a product; beyond a bigint there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": BIGINT_MAX, **kwargs})
