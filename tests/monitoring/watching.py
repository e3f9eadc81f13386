"""Prometheus and Alertmanager of the running stack, as a test asks them."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import psycopg2

Labels = Mapping[str, str]


class Alert(NamedTuple):
    """An alert as Alertmanager has it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    inhibited: bool


class Watch:
    """Asks Prometheus and Alertmanager."""

    def __init__(self, prometheus: str, alertmanager: str) -> None:
        self._prometheus = httpx.Client(base_url=prometheus, timeout=10)
        self._alertmanager = httpx.Client(base_url=alertmanager, timeout=10)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; an error is an AssertionError."""
        answer = self._prometheus.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def get(self, path: str) -> Any:
        """Return the data of another page of Prometheus's API."""
        answer = self._prometheus.get(path)
        answer.raise_for_status()
        return answer.json()["data"]

    def fires(self, alert: str, **labels: str) -> bool:
        """Tell whether Prometheus has the alert firing."""
        return any(
            found["state"] == "firing" and _matches(found["labels"], alert, labels)
            for found in self.get("/api/v1/alerts")["alerts"]
        )

    def notified(self, alert: str, **labels: str) -> list[Alert]:
        """Return the alerts that Alertmanager has by this name."""
        return [
            Alert(
                found["labels"],
                found["annotations"],
                inhibited=bool(found["status"]["inhibitedBy"]),
            )
            for found in self._alertmanager.get("/api/v2/alerts").json()
            if _matches(found["labels"], alert, labels)
        ]

    def firing(self) -> set[str]:
        """Return the names of all alerts that fire."""
        return {
            found["labels"]["alertname"]
            for found in self.get("/api/v1/alerts")["alerts"]
            if found["state"] == "firing"
        }

    def is_hurried(self) -> bool:
        """Tell whether a minute of the rules lasts a second here."""
        return "scrape_interval: 1s" in self.get("/api/v1/status/config")["yaml"]

    def close(self) -> None:
        self._prometheus.close()
        self._alertmanager.close()


def _matches(found: Labels, alert: str, labels: Labels) -> bool:
    wanted = {"alertname": alert, **labels}
    return all(found.get(name) == value for name, value in wanted.items())


def eventually(condition: Callable[[], object], *, seconds: float, what: Callable[[], str]) -> None:
    """Wait until something is so; fail with what should have been when it does not come to be."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (httpx.HTTPError, psycopg2.Error):
            pass  # not yet: the program begins, or is away on purpose
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what()}"
        time.sleep(0.25)


@contextmanager
def repeated(work: Callable[[], object]) -> Iterator[None]:
    """Do something again and again meanwhile, in a thread."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=30)
