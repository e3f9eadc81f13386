"""Each error becomes one problem document of one form."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from psycopg2 import errorcodes
from rest_framework import exceptions, serializers

from shop.core import errors
from shop.core.errors import exception_handler
from shop.core.logging import request_id


def handled(exc: Exception) -> Any:
    response = exception_handler(exc, {})
    assert response is not None
    assert response.content_type == "application/problem+json"
    assert response.data["status"] == response.status_code
    return response


class OutOfTea(errors.Conflict):
    """The pot is empty."""

    code = "out_of_tea"


def test_a_domain_error_carries_its_status_code_sentence_and_members() -> None:
    token = request_id.set("abc")
    response = handled(OutOfTea("No tea is left.", pot=3, lines=[{"cup": 1}]))
    request_id.reset(token)
    assert response.data == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "out_of_tea",
        "detail": "No tea is left.",
        "request_id": "abc",
        "pot": 3,
        "lines": [{"cup": 1}],
    }


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (errors.DomainError("x"), 400, "bad_request"),
        (errors.NotFound("x"), 404, "not_found"),
        (errors.Conflict("x"), 409, "conflict"),
        (errors.AccountClosed(), 403, "account_closed"),
        (errors.Unavailable("x"), 503, "unavailable"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (OperationalError("gone"), 503, "unavailable"),
        (InterfaceError("closed"), 503, "unavailable"),
        (exceptions.ParseError("x"), 400, "parse_error"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed("x", "invalid_token"), 401, "invalid_token"),
        (exceptions.AuthenticationFailed({"detail": "x"}), 401, "authentication_failed"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("a/b"), 415, "unsupported_media_type"),
        (exceptions.Throttled(7.2), 429, "throttled"),
    ],
)
def test_each_kind_of_error_has_its_status_and_its_stable_code(
    exc: Exception, status: int, code: str
) -> None:
    response = handled(exc)
    assert (response.status_code, response.data["code"]) == (status, code)
    assert isinstance(response.data["detail"], str)
    assert response.data["detail"]


def test_only_an_internal_error_of_a_node_lost_at_commit_passes() -> None:
    lost = InternalError("server closed the connection unexpectedly")
    lost.__cause__ = Exception()
    lost.__cause__.pgcode = errorcodes.INTERNAL_ERROR  # type: ignore[attr-defined]
    assert handled(lost).data["code"] == "unavailable"
    assert exception_handler(InternalError("out of range"), {}) is None


def test_what_the_database_says_is_not_told_to_the_client() -> None:
    response = handled(OperationalError('connection to server at "10.0.0.7" failed'))
    assert "10.0.0.7" not in json.dumps(response.data)


@pytest.mark.parametrize(
    ("exc", "header", "value"),
    [
        (errors.Unavailable("x"), "Retry-After", "1"),
        (exceptions.Throttled(7.0), "Retry-After", "7"),
    ],
)
def test_an_error_that_passes_says_when_to_come_back(
    exc: Exception, header: str, value: str
) -> None:
    assert handled(exc).headers[header] == value


@pytest.mark.parametrize("exc", [ValueError("bug"), KeyError("bug"), IntegrityError("bug")])
def test_a_bug_is_left_to_django_which_answers_500(exc: Exception) -> None:
    assert exception_handler(exc, {}) is None


class Line(serializers.Serializer[Any]):
    product_id = serializers.IntegerField(min_value=1)
    message = serializers.CharField(required=False)


class Basket(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=3)
    lines = Line(many=True)
    tags = serializers.ListField(child=serializers.IntegerField(), required=False)

    def validate(self, attrs: Any) -> Any:
        raise serializers.ValidationError("All of it is wrong.", "hopeless")


def _errors_of(data: Any) -> list[tuple[str, str]]:
    serializer = Basket(data=data)
    with pytest.raises(exceptions.ValidationError) as caught:
        serializer.is_valid(raise_exception=True)
    body = handled(caught.value).data
    assert body["code"] == "invalid"
    assert all(set(error) == {"field", "code", "detail"} for error in body["errors"])
    return [(error["field"], error["code"]) for error in body["errors"]]


def test_a_failed_validation_names_each_field_by_a_dotted_path() -> None:
    lines = [{"product_id": 1}, {"product_id": 0, "message": []}]
    assert _errors_of({"name": "abcd", "lines": lines, "tags": [1, "x"]}) == [
        ("name", "max_length"),
        ("lines.1.product_id", "min_value"),
        ("lines.1.message", "invalid"),
        ("tags.1", "invalid"),
    ]


def test_a_failed_validation_of_the_whole_names_no_field() -> None:
    assert _errors_of({"name": "abc", "lines": []}) == [("", "hopeless")]
    assert _errors_of([]) == [("", "invalid")]
    assert _errors_of({"name": "abc", "lines": "x"}) == [("lines", "not_a_list")]


def test_a_list_of_errors_is_numbered_by_its_places() -> None:
    wrong = exceptions.ValidationError({"lines": [{}, {"a": ["Too small."]}], "b": "Bad."})
    assert [error["field"] for error in handled(wrong).data["errors"]] == ["lines.1.a", "b"]


def test_a_missing_field_is_required_by_name() -> None:
    assert _errors_of({}) == [("name", "required"), ("lines", "required")]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (lambda r: errors.bad_request(r, Exception()), 400, "bad_request"),
        (lambda r: errors.page_not_found(r, Exception()), 404, "not_found"),
        (errors.server_error, 500, "internal_error"),
    ],
)
def test_djangos_own_answers_are_problem_documents_as_well(
    answer: Any, status: int, code: str
) -> None:
    response = answer(RequestFactory().get("/"))
    assert response.headers["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)


@pytest.mark.parametrize(
    ("status", "words"),
    [(409, "Conflict"), (413, "Content Too Large"), (422, "Unprocessable Content")],
)
def test_a_status_is_called_as_rfc_9110_calls_it_whatever_python_says(
    status: int, words: str
) -> None:
    assert errors.problem(status, "some_code", "Something is wrong.")["title"] == words
