"""Other sites' scripts read nothing, unless their origin is named."""

from typing import Any

import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

SITE = "https://app.example.com"


@pytest.fixture
def _named(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SITE]


def preflight(client: APIClient, path: str = "/api/orders/", origin: str = SITE) -> Any:
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, idempotency-key, if-match",
        },
    )


def granted(response: Any) -> set[str]:
    names = {name.lower() for name in response.headers}
    return {name for name in names if name.startswith("access-control-")}


def test_no_origin_is_named_by_default(settings: Any) -> None:
    assert settings.CORS_ALLOWED_ORIGINS == []


def test_a_preflight_is_granted_nothing(client: APIClient) -> None:
    assert granted(preflight(client)) == set()


def test_an_answer_is_shown_to_no_other_site(client: APIClient) -> None:
    assert granted(client.get("/api/products/", headers={"Origin": SITE})) == set()


@pytest.mark.usefixtures("_named")
def test_a_named_site_may_send_what_the_api_needs(client: APIClient) -> None:
    response = preflight(client)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == SITE
    allowed = response["Access-Control-Allow-Headers"]
    assert {"authorization", "idempotency-key", "if-match"} <= set(allowed.split(", "))
    assert "access-control-allow-credentials" not in granted(response)
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("_named")
def test_a_named_site_may_read_the_answer_and_its_headers(client: APIClient) -> None:
    response = client.get("/api/products/", headers={"Origin": SITE})
    assert response["Access-Control-Allow-Origin"] == SITE
    assert "ETag" in response["Access-Control-Expose-Headers"]
    assert "origin" in response["Vary"].lower()


@pytest.mark.usefixtures("_named")
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://app.example.com", f"{SITE}.evil.example", "null"],
)
def test_every_other_site_is_granted_nothing(client: APIClient, origin: str) -> None:
    assert "access-control-allow-origin" not in granted(preflight(client, origin=origin))


@pytest.mark.usefixtures("_named")
def test_the_staff_pages_are_for_no_other_site(client: APIClient) -> None:
    assert granted(preflight(client, "/admin/login/")) == set()
