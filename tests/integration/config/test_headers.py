"""The headers that keep a browser, a proxy or another site from doing harm with an answer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from shop.accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PATHS = [
    "/api/products/",
    "/api/cart/",
    "/api/nothing/",
    "/api/schema/",
    "/api/docs/",
    "/admin/login/",
    "/admin/",
    "/health/live",
    "/static/admin/css/base.css",
    "/static/nothing.css",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers(client: APIClient, settings: Any, path: str) -> None:
    settings.WHITENOISE_AUTOREFRESH = False
    response = client.get(path)
    response.close()
    assert {name: response[name] for name in EVERYWHERE} == EVERYWHERE
    assert "camera=()" in response["Permissions-Policy"]
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'unsafe" not in policy
    assert "X-Powered-By" not in response


@pytest.mark.parametrize("path", ["/api/products/", "/api/cart/", "/health/live", "/nothing"])
def test_an_answer_in_json_may_load_nothing(client: APIClient, path: str) -> None:
    assert client.get(path)["Content-Security-Policy"] == NOTHING


@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs/"])
def test_a_page_loads_scripts_from_here_alone(client: APIClient, path: str) -> None:
    directives = dict(
        part.strip().split(" ", 1)
        for part in client.get(path)["Content-Security-Policy"].split(";")
    )
    assert directives["script-src"] == "'self'"
    assert directives["form-action"] == "'self'"
    assert "http" not in client.get(path)["Content-Security-Policy"]


def test_what_a_token_opens_is_kept_by_no_cache(
    as_user: Callable[[User], APIClient], ana: User
) -> None:
    response = as_user(ana).get("/api/cart/")
    assert response["Cache-Control"] == "no-store, private"
    assert response["ETag"]


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_no_answer_to_a_login_is_kept(client: APIClient, ana: User, password: str) -> None:
    response = client.post("/api/auth/login/", {"username": "ana", "password": password})
    assert response["Cache-Control"] == "no-store, private"


def test_staff_pages_are_kept_by_no_cache() -> None:
    assert "no-store" in Client().get("/admin/login/")["Cache-Control"]


def test_the_catalog_may_be_kept_by_everybody(client: APIClient) -> None:
    assert "no-store" not in client.get("/api/products/").get("Cache-Control", "")


def test_the_api_sets_no_cookie(client: APIClient, ana: User) -> None:
    answer = client.post("/api/auth/login/", {"username": "ana", "password": PASSWORD})
    assert not answer.cookies
    assert not client.get("/api/products/").cookies


def test_plain_http_is_sent_to_https_in_production_but_for_the_health_check(
    client: APIClient, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 3600
    response = client.get("/api/products/")
    assert (response.status_code, response["Location"]) == (301, "https://testserver/api/products/")
    assert response["Content-Security-Policy"] == NOTHING
    assert client.get("/health/live").status_code == 200
    secure = client.get("/api/products/", secure=True)
    assert (secure.status_code, secure["Strict-Transport-Security"]) == (200, "max-age=3600")


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


@pytest.mark.parametrize("content_type", [FORM, MULTIPART, "text/plain", "application/xml", ""])
def test_the_api_reads_json_alone(client: APIClient, content_type: str) -> None:
    response = client.generic("POST", "/api/auth/login/", "username=ana", content_type)
    assert response.status_code == 415


def test_a_file_that_is_sent_is_dropped(sam: User) -> None:
    """Django would otherwise write it to a temporary directory before any view is asked."""
    body = (
        "--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\nx\r\n"
        "--b\r\nContent-Disposition: form-data; name=username\r\n\r\nsam\r\n--b--\r\n"
    )
    response = Client().generic("POST", "/admin/login/", body, MULTIPART)
    assert response.status_code == 200
    assert not response.wsgi_request.FILES
    assert response.wsgi_request.POST["username"] == "sam"
