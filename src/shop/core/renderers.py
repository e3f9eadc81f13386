"""How answers are written."""

from collections.abc import Mapping
from typing import Any

from rest_framework import renderers


class JSONRenderer(renderers.JSONRenderer):
    """Compact JSON for everybody: one representation has one ETag and one place in a cache.

    REST framework's own indents for ``Accept: application/json; indent=4``.
    """

    def get_indent(
        self, accepted_media_type: str | None, renderer_context: Mapping[str, Any] | None
    ) -> None:
        return None
