"""What stands at `/` and `/api/`."""

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from tests.integration.core.assertions import assert_problem


def test_the_api_answers_an_index_of_addresses_that_are_there(client: Client) -> None:
    answer = client.get("/api/")
    assert answer.status_code == 200
    links = answer.json()
    assert links["products"].endswith("/api/products/")
    for address in links.values():
        resolve(urlsplit(address).path)


def test_a_browser_finds_a_page_with_links_that_lead_on(client: Client) -> None:
    page = client.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]
    for path in ("/api/docs/", "/api/schema/", "/api/", "/api/products/", "/admin/"):
        assert f'href="{path}"' in page.content.decode()


@pytest.mark.parametrize("path", ["/", "/api/", "/api/schema/", "/api/docs/"])
def test_what_only_can_be_read_says_so_as_a_problem(client: Client, path: str) -> None:
    answer = client.post(path, {})
    assert_problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]
