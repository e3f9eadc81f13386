"""A body without a length is read like any other, on every route of the URL map that writes."""

import json
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.framing import measure
from shop.payments.signatures import sign
from tests.integration.core.assertions import assert_problem
from tests.integration.test_access import ACTORS, Key, World, _table

pytestmark = pytest.mark.django_db

# Each writing operation, with somebody for whom it is; the gateway's wants a signature, see below.
WRITING = {
    key: next(actor for actor, status in zip(ACTORS, row, strict=True) if status < 400)
    for key, row in _table().items()
    if key[0] != "GET" and min(row) < 400
}
# What reads no body, so that none can be dropped: the path says it all.
BODILESS = {
    ("DELETE", "/api/cart/"),
    ("DELETE", "/api/cart/items/<item_id>/"),
    ("DELETE", "/api/wishlist/"),
    ("DELETE", "/api/wishlist/items/<item_id>/"),
    ("DELETE", "/api/categories/<category_id>/"),
    ("DELETE", "/api/products/<product_id>/"),
    ("DELETE", "/api/reviews/<product_id>/<review_id>/"),
    ("DELETE", "/api/staff/webhooks/<endpoint_id>/"),
}


class Chunked:
    """Hands a request on as the server does whose body came in chunks."""

    def __init__(self, handler: Callable[[dict[str, Any]], Any]) -> None:
        self.handler = handler

    def __call__(self, environ: dict[str, Any]) -> Any:
        body = environ["wsgi.input"].read()
        environ |= {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        environ.pop("CONTENT_LENGTH", None)
        measure(environ)
        return self.handler(environ)


def in_chunks(client: APIClient) -> APIClient:
    client.handler = Chunked(client.handler)
    return client


@pytest.fixture
def chunked(world: World) -> World:
    """The same world, in which nobody says how long a body is."""
    for client in world.clients.values():
        in_chunks(client)
    return world


def test_every_writing_operation_does_what_a_body_in_chunks_says(chunked: World) -> None:
    answered = {key: chunked.ask(*key, actor).status_code for key, actor in WRITING.items()}
    assert answered == {key: min(_table()[key]) for key in WRITING}


def test_no_writing_operation_drops_a_body_in_chunks(chunked: World) -> None:
    """A body that is no JSON is refused where a body is looked at: so it was read."""
    codes = {key: _code(chunked, key, actor) for key, actor in WRITING.items()}
    dropped = {key for key, code in codes.items() if code != "parse_error"}
    assert dropped == BODILESS


def _code(world: World, key: Key, actor: str) -> str:
    method, path = key
    headers = {"Idempotency-Key": str(new_id())}
    with transaction.atomic():
        answer = world.clients[actor].generic(
            method, world.filled(path), b'{"a"', "application/json", headers=headers
        )
        transaction.set_rollback(True)
    return str(answer.json()["code"]) if answer.status_code >= 400 else ""


def test_an_event_of_the_gateway_in_chunks_bears_its_signature(
    client: APIClient, settings: Any
) -> None:
    settings.PAYMENT_WEBHOOK_SECRET = "shared"
    about = {"user_id": str(new_id()), "payment_id": str(new_id())}
    body = json.dumps({"id": "evt_1", "type": "payment.succeeded", "data": about}).encode()
    signature = sign(body, secret="shared", at=int(timezone.now().timestamp()))
    answer = in_chunks(client).generic(
        "POST",
        "/api/payments/webhook/",
        body,
        "application/json",
        headers={"Webhook-Signature": signature},
    )
    assert_problem(answer, 404, "not_found")  # of the payment: who sent it was believed


@pytest.mark.parametrize("key", [key for key in WRITING if key[0] == "PATCH"], ids=" ".join)
def test_a_patch_without_a_body_is_refused(client: APIClient, key: Key) -> None:
    answer = client.generic("PATCH", re.sub(r"<\w+_id>", _any_id, key[1]))
    assert_problem(answer, 400, "parse_error")


def test_a_patch_that_names_nothing_leaves_everything_as_it_is(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    before = as_user(ana).get("/api/users/me/").json()
    answer = as_user(ana).patch("/api/users/me/", {})
    assert answer.status_code == 200
    assert answer.json() == before | {"updated_at": answer.json()["updated_at"]}


def test_a_patch_where_there_is_nothing_to_change_is_no_such_method(client: APIClient) -> None:
    assert_problem(client.generic("PATCH", "/api/auth/login/"), 405, "method_not_allowed")


def test_a_body_whose_end_nobody_knows_is_refused(client: APIClient) -> None:
    answer = client.post("/api/auth/login/", {}, headers={"Transfer-Encoding": "chunked"})
    assert_problem(answer, 411, "length_required")


def _any_id(placeholder: re.Match[str]) -> str:
    kinds = {"<category_id>", "<product_id>", "<endpoint_id>"}
    return "1" if placeholder[0] in kinds else str(new_id())
