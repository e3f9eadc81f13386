"""Numbers as staff type them: taken as they are written, or refused.

A browser's own number field drops signs that it does not know: in an English one, ``18,50`` arrives
as ``1850``. These are plain text fields, and what is not written plainly is refused in words.
"""

import re
from typing import Any

from django import forms

HINT = "Write it with a point before the decimals and nothing between the thousands, e.g. 1234.50."
WHOLE = "Write a whole number, without a point or a comma, e.g. 1200."


class PlainDecimal(forms.DecimalField):
    """An amount, e.g. ``18.50``."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "vTextField plain-number"})

    def to_python(self, value: Any) -> Any:
        _require(r"[+-]?[0-9]+(\.[0-9]+)?", value, HINT)
        return super().to_python(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}  # min, max and step are of number fields


class PlainInteger(forms.IntegerField):
    """A number of units, e.g. ``-2``."""

    widget = forms.TextInput(attrs={"inputmode": "text", "class": "vTextField plain-number"})

    def to_python(self, value: Any) -> Any:
        _require(r"[+-]?[0-9]+", value, WHOLE)
        return super().to_python(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


def _require(pattern: str, value: Any, hint: str) -> None:
    text = str(value).strip() if value is not None else ""
    if text and not re.fullmatch(pattern, text):
        raise forms.ValidationError(hint, "not_plain")
