from collections.abc import Callable

import httpx
import pytest

from shop.checkout.smoke.client import Failed, Reporter, Shop


def shop(answer: Callable[[httpx.Request], httpx.Response], lines: list[str]) -> Shop:
    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://shop")
    return Shop(http, Reporter(lines.append), token="abc")


def test_a_step_is_printed_with_its_status_and_milliseconds() -> None:
    lines: list[str] = []
    found = shop(lambda request: httpx.Response(200, json={"a": 1}), lines).step("look", "GET", "/")
    assert found["a"] == 1
    (line,) = lines
    assert line.startswith("look ")
    assert " 200 " in line
    assert line.endswith(" ms")


def test_the_token_goes_with_the_request_besides_other_headers() -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={})

    shop(answer, []).step("look", "GET", "/", headers={"Idempotency-Key": "k"})
    assert seen[0]["Authorization"] == "Bearer abc"
    assert seen[0]["Idempotency-Key"] == "k"


def test_another_status_fails_the_step_by_its_name() -> None:
    lines: list[str] = []
    refused = httpx.Response(409, json={"code": "insufficient_stock"})
    with pytest.raises(Failed, match=r"expected 201, got 409.*insufficient_stock") as failure:
        shop(lambda request: refused, lines).step("order", "POST", "/", expect=201)
    assert failure.value.step == "order"
    assert lines == []


def test_an_answer_without_the_key_fails_the_step() -> None:
    answer = shop(lambda request: httpx.Response(200, json={"a": 1}), []).step("look", "GET", "/")
    with pytest.raises(Failed, match="no 'b'"):
        answer["b"]


def test_an_answer_that_is_no_json_fails_the_step() -> None:
    with pytest.raises(Failed, match="no JSON"):
        shop(lambda request: httpx.Response(200, text="<html>"), []).step("look", "GET", "/")


def test_a_wrong_value_fails_the_step() -> None:
    answer = shop(lambda request: httpx.Response(200, json={"a": 1}), []).step("look", "GET", "/")
    answer.must("a", answer["a"], 1)
    with pytest.raises(Failed, match="a should be 2, but is 1"):
        answer.must("a", answer["a"], 2)
