"""What is going to be removed says so: since when, and until when it answers (docs/api.md)."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.utils.http import http_date
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

LIFETIME = timedelta(days=183)  # at least half a year: what docs/api.md promises


class Deprecated(APIView):
    """A view that still answers, with the fields Deprecation (RFC 9745) and Sunset (RFC 8594).

    It stands before the view whose operations it keeps up.
    """

    deprecated_since: ClassVar[datetime] = datetime(2026, 12, 1, tzinfo=UTC)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        since = self.deprecated_since.timestamp()
        response.headers["Deprecation"] = f"@{since:.0f}"
        response.headers["Sunset"] = http_date(since + LIFETIME.total_seconds())
        return super().finalize_response(request, response, *args, **kwargs)
