"""Fields that the serializers of several rooms share."""

from typing import Any
from unicodedata import normalize

from django.conf import settings
from rest_framework import serializers

BIGINT_MAX = 2**63 - 1


class NormalTextField(serializers.CharField):
    """Text in one normal form (NFC) before it is looked at, whatever keyboard it was typed on."""

    def to_internal_value(self, data: Any) -> str:
        return normalize("NFC", super().to_internal_value(data))


class NormalEmailField(NormalTextField, serializers.EmailField):
    """An e-mail address, likewise."""


class CatalogIdField(serializers.IntegerField):
    """The id of a category or a product; beyond a bigint there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": BIGINT_MAX, **kwargs})


class CurrencyField(serializers.CharField):
    """The currency of the shop's amounts: three capital letters, as settings.CURRENCY says."""

    def __init__(self) -> None:
        super().__init__(read_only=True, source="*")

    def to_representation(self, value: object) -> str:
        """Return the same for whatever is shown."""
        return str(settings.CURRENCY)
