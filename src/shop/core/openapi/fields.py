"""How fields read in the document where drf-spectacular would be vague."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension


class MoneyField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Money: a decimal string with two places; a request may leave out what is zero."""

    target_class = "rest_framework.fields.DecimalField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        field = self.target
        whole, places = field.max_digits - field.decimal_places, field.decimal_places
        sign = "" if field.min_value is not None and field.min_value >= 0 else "-?"
        if direction == "response":
            pattern = rf"^{sign}[0-9]{{1,{whole}}}\.[0-9]{{{places}}}$"
        else:
            pattern = rf"^{sign}[0-9]{{1,{whole}}}(\.[0-9]{{1,{places}}})?$"
        example = "19.90" if whole > 1 else "4.50"
        return {"type": "string", "format": "decimal", "pattern": pattern, "examples": [example]}
