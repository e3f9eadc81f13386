"""Spans for whoever collects them: HTTP, SQL with its alias, Redis, Celery, in one connected trace.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT names a collector; then `start` is called once per process,
and only then is anything of OpenTelemetry imported. What spans carry goes through
`shop.core.redaction` like a log line, at the one place where they leave.

HTTP and SQL have spans of our own: those of the instrumentation packages know no alias, and record
the query string of every address.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from django.conf import settings
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

from shop.core.observing import without_values
from shop.core.redaction import redact

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]

QUIET = re.compile(r"/(health/|metrics$|static/)")
VERB = re.compile(r"\s*(\w+)")
tracer = trace.get_tracer("shop")


def start() -> None:
    """Send spans of this process to settings.TRACING_ENDPOINT (OTLP over HTTP)."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: settings.TRACING_SERVICE}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.TRACING_ENDPOINT.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(Redacting(exporter)))
    trace.set_tracer_provider(provider)
    connection_created.connect(_trace_statements)
    RedisInstrumentor().instrument()
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]


class Traced:
    """A span for each request, below the caller's if it sent a traceparent."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if QUIET.match(request.path_info):
            return self.get_response(request)
        with tracer.start_as_current_span(
            f"{request.method}",
            context=propagate.extract(
                {name.lower(): value for name, value in request.headers.items()}
            ),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": request.method or "",
                "shardmart.request_id": getattr(request, "request_id", ""),
            },
        ) as span:
            response = self.get_response(request)
            route = request.work.route  # type: ignore[attr-defined]
            span.update_name(f"{request.method} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return response


class Redacting(SpanExporter):
    """Sends spans on, without what must not be seen."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_redacted(span) for span in spans if _is_of_use(span)])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _is_of_use(span: ReadableSpan) -> bool:
    """Leave out what a process asks on its own account, as a worker its broker for tasks."""
    return span.parent is not None or span.kind is not SpanKind.CLIENT


def _redacted(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=redact(span.attributes or {}),
        events=[
            Event(one.name, redact(one.attributes or {}), one.timestamp) for one in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, redact(span.status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _trace_statements(connection: Any, **_: Any) -> None:
    if _traced not in connection.execute_wrappers:
        connection.execute_wrappers.append(_traced)


def _traced(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a statement in a span of its own: its text without values, and where it went."""
    connection = context["connection"]
    text = without_values(sql) if isinstance(sql, str) else ""
    verb = VERB.match(text)
    with tracer.start_as_current_span(
        verb[1].upper() if verb else "SQL",
        kind=SpanKind.CLIENT,
        attributes={
            "db.system.name": "postgresql",
            "db.query.text": text,
            "db.namespace": str(connection.settings_dict["NAME"]),
            "server.address": str(connection.settings_dict["HOST"]),
            "server.port": int(connection.settings_dict["PORT"] or 5432),
            "shardmart.alias": connection.alias,
        },
    ):
        return execute(sql, params, many, context)
