"""A running stack, reached as its clients reach it: over HTTP, through HAProxy.

`make test` brings the stack up. Rows are counted over a connection of our own to the coordinator.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg2
import pytest
from django.conf import settings

from shop.config.environment import load

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
T = TypeVar("T")


@pytest.fixture(scope="session")
def url() -> str:
    """The address of the front, from here; skips where no stack answers."""
    front = load().str("FRONT_URL", "") or str(settings.PUBLIC_URL)
    try:
        httpx.get(f"{front}/health/ready", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        pytest.skip(f"no stack answers at {front} ({error}); `make test` has one")
    return front


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def new_user(url: str) -> Iterator[Callable[[], httpx.Client]]:
    """Register somebody new; their client carries their token."""
    clients = []

    def register() -> httpx.Client:
        client = httpx.Client(base_url=url, timeout=60)
        clients.append(client)
        name = f"user-{secrets.token_hex(8)}"
        answer = client.post(
            "/api/auth/register/",
            json={"username": name, "email": f"{name}@example.com", "password": PASSWORD},
        )
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        return client

    yield register
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def sam(url: str) -> Iterator[httpx.Client]:
    """An admin, made by the command and logged in over HTTP."""
    name = f"sam-{secrets.token_hex(8)}"
    manage("create_staff", f"--username={name}", f"--email={name}@example.com", "--role=admin")
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post("/api/auth/login/", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        yield client


@pytest.fixture
def new_product(sam: httpx.Client) -> Callable[[int], int]:
    """Put a new product on sale with so many units; returns its id."""

    def make(stock: int) -> int:
        tag = secrets.token_hex(8)
        category = sam.post("/api/categories/", json={"name": f"Category {tag}"}).json()["id"]
        product = sam.post(
            "/api/products/",
            json={"name": f"Product {tag}", "price": "10.00", "category_id": category},
        ).json()["id"]
        if stock:
            received = {"delta": stock, "reason": "receipt"}
            key = {"Idempotency-Key": tag}
            answer = sam.post(f"/api/products/{product}/stock/", json=received, headers=key)
            assert answer.status_code == 201, answer.text
        return int(product)

    return make


@pytest.fixture
def rows(url: str) -> Iterator[Callable[..., list[Any]]]:
    """Run a query on the coordinator of the stack."""
    connection = psycopg2.connect(load().required("DATABASE_DIRECT_URL"))
    connection.autocommit = True

    def query(sql: str, *params: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    yield query
    connection.close()


def manage(*arguments: str, stdin: str = PASSWORD) -> str:
    """Run a management command against the stack; return what it printed."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.config.settings"}
    finished = subprocess.run(
        [sys.executable, str(ROOT / "src/manage.py"), *arguments],
        input=stdin,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def at_once(work: Callable[[int], T], count: int) -> list[T]:
    """Run the work `count` times at the same time; return what came back, in order."""
    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(work, range(count)))
