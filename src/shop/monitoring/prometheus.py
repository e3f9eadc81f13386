"""What Prometheus knows, asked briefly: a page of figures must not wait for them."""

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import httpx

TIMEOUT = 3.0  # seconds, per question


class Unreachable(Exception):
    """Prometheus does not answer, or not with figures."""


class Line(NamedTuple):
    """One line over time: its labels, and a value per step; None where there is none."""

    labels: Mapping[str, str]
    values: list[float | None]


class Sample(NamedTuple):
    """What something is now."""

    labels: Mapping[str, str]
    value: float


class Alert(NamedTuple):
    """An alert that fires; `runbook` says what to do."""

    name: str
    severity: str
    summary: str
    since: str
    runbook: str


class Prometheus:
    """A Prometheus server at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = client()

    def lines(self, query: str, *, start: float, end: float, step: float) -> list[Line]:
        """Return the lines of a query over a time.

        Raises:
            Unreachable: it was not answered.
        """
        times = {"start": str(start), "end": str(end), "step": str(step)}
        count = int((end - start) // step) + 1
        found = self._get("query_range", {"query": query, **times})["result"]
        return [Line(one["metric"], _spread(one["values"], start, step, count)) for one in found]

    def now(self, query: str) -> list[Sample]:
        """Return what a query says now; raises as `lines`."""
        found = self._get("query", {"query": query})["result"]
        return [Sample(one["metric"], float(one["value"][1])) for one in found]

    def alerts(self) -> list[Alert]:
        """Return the alerts that fire; raises as `lines`."""
        found = self._get("alerts", {})["alerts"]
        return [
            Alert(
                name=one["labels"].get("alertname", ""),
                severity=one["labels"].get("severity", ""),
                summary=one["annotations"].get("summary", ""),
                since=one.get("activeAt", ""),
                runbook=one["annotations"].get("runbook_url", ""),
            )
            for one in found
            if one["state"] == "firing"
        ]

    def _get(self, what: str, parameters: dict[str, str]) -> Any:
        try:
            answer = self._http.get(f"{self._url}/api/v1/{what}", params=parameters)
            answer.raise_for_status()
            return answer.json()["data"]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as error:
            raise Unreachable(str(error)) from error


@cache
def client() -> httpx.Client:
    """Return the process's only one: making its TLS context costs more than all the questions.

    Prometheus is the stack's own; a proxy of the environment is not meant for it.
    """
    return httpx.Client(timeout=TIMEOUT, trust_env=False)


def _spread(
    points: Iterable[tuple[float, str]], start: float, step: float, count: int
) -> list[float | None]:
    """Put points to their steps; what Prometheus left out, or could not divide, is None."""
    values: list[float | None] = [None] * count
    for moment, text in points:
        place, value = round((moment - start) / step), float(text)
        if 0 <= place < count and math.isfinite(value):
            values[place] = value
    return values
