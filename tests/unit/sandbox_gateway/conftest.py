"""The sandbox in this process: its provider does not sleep, it notes how long it would have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox_gateway.app import Application
from sandbox_gateway.provider import Provider
from sandbox_gateway.settings import Settings
from sandbox_gateway.store import Store

KEY = "the key"


class Sandbox:
    """The sandbox over one file; `restart` is what a kill -9 leaves."""

    def __init__(self, path: Path, **settings: Any) -> None:
        defaults = {"latency": (0.0, 0.0), "duplicates": 0.0, "spread": 0.0}
        self.settings = Settings(state=path, key=KEY, **(defaults | settings))
        self.slept: list[float] = []
        self.restart()

    def restart(self) -> None:
        self.store = Store(self.settings.state)
        provider = Provider(self.settings, self.store, sleep=self.slept.append)
        app = Application(provider, self.store, key=KEY)
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=app),
            base_url="http://sandbox",
            headers={"Authorization": f"Bearer {KEY}"},
        )

    def charge(self, key: str = "one", **changes: Any) -> httpx.Response:
        wanted = {"amount": "12.30", "currency": "EUR", "token": "tok_success", "metadata": {}}
        return self.http.post("/charges", json=wanted | changes, headers={"Idempotency-Key": key})

    def ledger(self) -> dict[str, tuple[int, int]]:
        """Return how often each key was charged and refunded."""
        lines = self.http.get("/ledger").json()["charges"]
        return {line["key"]: (line["charged"], line["refunded"]) for line in lines}


@pytest.fixture
def make_sandbox(tmp_path: Path) -> Callable[..., Sandbox]:
    return lambda **settings: Sandbox(tmp_path / "gateway.sqlite", **settings)


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return make_sandbox()
