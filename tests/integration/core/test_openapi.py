"""Everybody may read the OpenAPI document, and the page that shows it."""

import re

import pytest
from django.contrib.staticfiles import finders
from rest_framework.test import APIClient
from yaml import safe_load

from shop.core.openapi.views import parsed_document


def test_the_document_is_served_as_yaml_and_as_json(client: APIClient) -> None:
    as_yaml, as_json = client.get("/api/schema/"), client.get("/api/schema/?format=json")
    assert as_yaml.headers["Content-Type"] == "application/vnd.oai.openapi"
    assert as_json.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert safe_load(as_yaml.content) == as_json.json() == parsed_document()


def test_the_document_may_be_kept_and_is_not_sent_twice(client: APIClient) -> None:
    first = client.get("/api/schema/")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    again = client.get("/api/schema/", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_bad_token_does_not_keep_anybody_from_reading(client: APIClient) -> None:
    for path in ("/api/schema/", "/api/docs/"):
        answer = client.get(path, headers={"Authorization": "Bearer nonsense"})
        assert answer.status_code == 200


def test_the_page_has_no_script_of_its_own_and_loads_ours_alone(client: APIClient) -> None:
    """So that its Content-Security-Policy can forbid whatever stands in the page itself."""
    page = client.get("/api/docs/").content.decode()
    assert re.findall(r"<script(?! src=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 5
    for path in loaded:
        assert path.startswith("/static/")
        assert finders.find(path.removeprefix("/static/")), path


def test_the_page_shows_the_document(client: APIClient) -> None:
    page = client.get("/api/docs/").content.decode()
    (address,) = re.findall(r'data-schema="([^"]+)"', page)
    assert client.get(address).json() == parsed_document()


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/"])
def test_nothing_can_be_sent_to_it(client: APIClient, path: str) -> None:
    assert client.post(path, {}).status_code == 405
