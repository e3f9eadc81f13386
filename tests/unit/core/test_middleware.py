import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from shop.core.logging import request_id
from shop.core.middleware import BodyLimit, RequestId


def seen_by_the_view(request: HttpRequest) -> HttpResponse:
    """A view that answers with the id under which it logs."""
    return HttpResponse(request_id.get())


def through_request_id(**headers: str) -> HttpResponse:
    return RequestId(seen_by_the_view)(RequestFactory().get("/", headers=headers))


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 64])
def test_the_callers_request_id_is_kept_and_given_back(given: str) -> None:
    response = through_request_id(**{"X-Request-ID": given})
    assert response["X-Request-ID"] == given
    assert response.content.decode() == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "a\n", "ä", "a;b", "<script>"])
def test_an_unacceptable_request_id_is_replaced(given: str) -> None:
    response = through_request_id(**{"X-Request-ID": given})
    assert response["X-Request-ID"] != given
    assert len(response["X-Request-ID"]) == 32
    assert response.content.decode() == response["X-Request-ID"]


def test_each_request_gets_an_id_of_its_own() -> None:
    assert through_request_id()["X-Request-ID"] != through_request_id()["X-Request-ID"]


def test_the_request_id_ends_with_the_request_even_when_the_view_fails() -> None:
    def failing(request: HttpRequest) -> HttpResponse:
        raise RuntimeError(request_id.get())

    with pytest.raises(RuntimeError, match="mine"):
        RequestId(failing)(RequestFactory().get("/", headers={"X-Request-ID": "mine"}))
    assert request_id.get() == ""


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
