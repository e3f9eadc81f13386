"""A page of reviews begins with what all of them come to."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from shop.core.pagination import KeysetPagination
from shop.reviews.api.serializers import RatingSerializer


class ReviewPagination(KeysetPagination):
    """Keyset pages with the `view.get_summary()` of the whole list."""

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        self.summary = RatingSerializer(view.get_summary()).data
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data: Any) -> Response:
        page = super().get_paginated_response(data)
        page.data = {"summary": self.summary, **page.data}
        return page

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        summary = {
            "type": "object",
            "required": ["average", "count"],
            "properties": {
                "average": {"type": ["string", "null"], "format": "decimal"},
                "count": {"type": "integer"},
            },
        }
        return {
            **page,
            "required": ["summary", *page["required"]],
            "properties": {"summary": summary, **page["properties"]},
        }
