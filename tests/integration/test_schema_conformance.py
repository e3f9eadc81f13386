"""Whatever is generated from the OpenAPI document is answered as the document says.

Every generated request is sent by nobody, by a customer and by an admin, with ids of things that
they have; what it changes is undone at once. ``make fuzz`` sends some 2,000 of them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck
from hypothesis import settings as limits_of
from rest_framework.test import APIClient
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from shop.accounts import tokens
from shop.accounts.models import User
from shop.core.openapi.views import parsed_document
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

load_all_checks()
SIGNALS = (request_started, request_finished)
FEW, MANY = 5, 8  # drawn for each operation; each is sent three times
# What a schema cannot say is not asked: that a number in a string is read as a number, that a
# username is taken, that a product does not exist.
NOT_ASKED = [negative_data_rejection, positive_data_acceptance]
# Whoever may not write is told so (401, 403) before being told that a method does not exist.
NOT_ASKED_OF_OTHERS = [*NOT_ASKED, unsupported_method]


def load(*, thorough: bool) -> Any:
    """Return the document as schemathesis reads it, with our application behind it."""
    config = SchemathesisConfig.from_dict(
        {
            "generation": {"deterministic": True, "with-security-parameters": False},
            "phases": {"coverage": {"enabled": thorough}},
        }
    )
    schema = schemathesis.openapi.from_dict(parsed_document(), config=config)
    schema.app = get_wsgi_application()
    return schema


def limits(examples: int) -> Any:
    return limits_of(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Actor(NamedTuple):
    """Somebody who asks, and the ids of what they have."""

    headers: dict[str, str]
    owns: dict[str, object]
    may_everything: bool = False


@pytest.fixture
def actors(
    ana: User,
    sam: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    settings: Any,
) -> list[Actor]:
    """Nobody, Ana and Sam; the latter two with a cart, a wishlist, an order and a payment."""
    settings.THROTTLE_RATES = dict.fromkeys(settings.THROTTLE_RATES, "off")
    product = make_product(stock=1000)
    shared = {
        "product_id": product.id,
        "category_id": product.category_id,
        "parent_id": product.category_id,
    }
    anas, sams = (shared | _shop(as_user(user), user, product.id) for user in (ana, sam))
    return [
        Actor({}, anas),
        Actor(_bearer(ana), anas),
        Actor(_bearer(sam), sams, may_everything=True),
    ]


def _bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.issue(user).access}"}


def _shop(client: APIClient, user: User, product_id: int) -> dict[str, object]:
    line = {"product_id": product_id}
    client.post("/api/cart/items/", line)
    key = {"Idempotency-Key": "first"}
    order = client.post("/api/orders/", {"payment_method": "card"}, headers=key).json()
    review = client.post(f"/api/products/{product_id}/reviews/", {"rating": 5}).json()
    return {
        "user_id": str(user.id),
        "order_id": order["id"],
        "payment_id": client.get("/api/payments/").json()["results"][0]["id"],
        "review_id": review["id"],
        "cart_item_id": client.post("/api/cart/items/", line).json()["id"],
        "wishlist_item_id": client.post("/api/wishlist/items/", line).json()["id"],
    }


def ask(case: Any, actors: list[Actor]) -> None:
    """Send a case as each actor; fail where the answer is not in the document."""
    for actor in actors:
        with _undone():
            _point_at(case, actor.owns)
            response = case.call(headers=actor.headers)
            asked[response.status_code] += 1
            case.validate_response(
                response,
                headers=actor.headers,
                excluded_checks=NOT_ASKED if actor.may_everything else NOT_ASKED_OF_OTHERS,
                transport_kwargs={"headers": actor.headers},
            )


@contextmanager
def _undone() -> Iterator[None]:
    """Undo what is done; requests keep their hands off the connection, as in Django's client."""
    for signal in SIGNALS:
        signal.disconnect(close_old_connections)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for signal in SIGNALS:
            signal.connect(close_old_connections)


def _point_at(case: Any, owned: dict[str, object]) -> None:
    """Replace most generated ids, in path and body, by those of things that exist."""
    if crc32(repr((case.path_parameters, case.body)).encode()) % 4 == 0:
        return
    for name in case.path_parameters or {}:
        room = case.path.split("/")[2]
        known = owned.get(name) or owned.get(f"{room}_{name}")
        if known:
            case.path_parameters[name] = known
    if isinstance(case.body, dict):
        for name in case.body.keys() & owned.keys():
            case.body[name] = owned[name]


asked: Counter[int] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _tally() -> Iterator[None]:
    yield
    print(
        f"\n{sum(asked.values())} generated requests were answered: {dict(sorted(asked.items()))}"
    )


brief = load(thorough=False)
full = load(thorough=True)


def test_an_answer_that_is_not_in_the_document_is_noticed(actors: list[Actor]) -> None:
    document = parsed_document()
    del document["paths"]["/api/cart/"]["get"]["responses"]["401"]
    schema = schemathesis.openapi.from_dict(document)
    schema.app = get_wsgi_application()
    with pytest.raises(BaseExceptionGroup, match="1 distinct failure"):
        ask(schema["/api/cart/"]["GET"].Case(), actors)


@brief.parametrize()
@limits(FEW)
def test_what_is_generated_is_answered_as_documented(case: Any, actors: list[Actor]) -> None:
    ask(case, actors)


@pytest.mark.fuzz
@full.parametrize()
@limits(MANY)
def test_much_of_what_is_generated_is_answered_as_documented(
    case: Any, actors: list[Actor]
) -> None:
    ask(case, actors)
