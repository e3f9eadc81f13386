"""The document itself, and the page that shows it."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views import View
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

MAX_AGE = 300  # seconds
RENDERERS = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}


@cache
def document(kind: str) -> bytes:
    """Return the document as ``yaml`` or ``json``; it is made once per process."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    renderer = RENDERERS[kind]()
    schema = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    return bytes(renderer.render(schema, renderer_context={}))


def parsed_document() -> dict[str, Any]:
    """Return the document as data."""
    parsed: dict[str, Any] = json.loads(document("json"))
    return parsed


class SchemaView(View):
    """The OpenAPI document for everybody: YAML, or JSON with ``?format=json``."""

    def get(self, request: HttpRequest) -> HttpResponse:
        kind = "json" if request.GET.get("format") == "json" else "yaml"
        response = HttpResponse(document(kind), content_type=RENDERERS[kind].media_type)
        patch_cache_control(response, public=True, max_age=MAX_AGE)
        return response


class DocsView(TemplateView):
    """Swagger UI from our own static files: no inline script, nothing from elsewhere."""

    template_name = "core/docs.html"
