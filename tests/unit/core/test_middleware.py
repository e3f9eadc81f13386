import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from shop.core.middleware import BodyLimit


def through_body_limit(length: str) -> HttpResponse:
    request = RequestFactory().post("/", b"", content_type="application/json")
    request.META["CONTENT_LENGTH"] = length
    return BodyLimit(lambda _: HttpResponse("through"))(request)


@pytest.mark.parametrize("length", ["", "0", "10"])
def test_a_body_up_to_the_limit_passes(settings: Any, length: str) -> None:
    settings.MAX_BODY_BYTES = 10
    assert through_body_limit(length).content == b"through"


@pytest.mark.parametrize("length", ["11", "9" * 20, "9" * 5000])
def test_a_larger_body_is_refused_unread(settings: Any, length: str) -> None:
    settings.MAX_BODY_BYTES = 10
    response = through_body_limit(length)
    body = json.loads(response.content)
    assert (response.status_code, body["code"]) == (413, "body_too_large")
    assert "10 bytes" in body["detail"]


@pytest.mark.parametrize("length", ["-1", "x", "1.5", "1e3", "0x10"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    response = through_body_limit(length)
    assert (response.status_code, json.loads(response.content)["code"]) == (400, "bad_request")
