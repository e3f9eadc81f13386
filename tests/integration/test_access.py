"""Who may do what: one table, and every route of the URL map is in it.

Ana owns what is asked for. Bo is another customer. Support, manager and admin are staff who own
nothing here. Every request is sound, so that only access decides its status.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from psycopg2.extensions import make_dsn
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from sharding.ids import new_id
from shop.accounts import services as accounts
from shop.accounts import tokens
from shop.accounts.models import User
from shop.core.roles import Role
from shop.orders.models import Order
from shop.payments.models import Payment
from shop.webhooks.models import WebhookDelivery
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.assertions import assert_problem
from tests.integration.core.routes import METHODS, Route, all_routes

pytestmark = pytest.mark.django_db

ACTORS = ("nobody", "other", "owner", "support", "manager", "admin")
REPLAY = "/api/staff/webhooks/<endpoint_id>/deliveries/<user_id>/<delivery_id>/replay/"
TABLE = """
method path                                      nobody other owner support manager admin
GET    /                                            200   200   200     200     200   200
GET    /api/                                        200   200   200     200     200   200
GET    /health/live                                 200   200   200     200     200   200
GET    /health/ready                                200   200   200     200     200   200
GET    /metrics                                     200   200   200     200     200   200
GET    /api/schema/                                 200   200   200     200     200   200
GET    /api/docs/                                   200   200   200     200     200   200
POST   /api/auth/register/                          201   201   201     201     201   201
POST   /api/auth/login/                             200   200   200     200     200   200
POST   /api/auth/refresh/                           200   200   200     200     200   200
POST   /api/auth/logout/                            204   204   204     204     204   204
GET    /api/users/me/                               401   200   200     200     200   200
PATCH  /api/users/me/                               401   200   200     200     200   200
DELETE /api/users/me/                               401   204   204     204     204   409
POST   /api/users/me/password/                      401   204   204     204     204   204
GET    /api/users/me/export/                        401   200   200     200     200   200
GET    /api/users/                                  401   403   403     403     403   200
GET    /api/users/<user_id>/                        401   403   403     403     403   200
PATCH  /api/users/<user_id>/                        401   403   403     403     403   200
GET    /api/categories/                             200   200   200     200     200   200
POST   /api/categories/                             401   403   403     403     201   201
GET    /api/categories/<category_id>/               200   200   200     200     200   200
PUT    /api/categories/<category_id>/               401   403   403     403     200   200
PATCH  /api/categories/<category_id>/               401   403   403     403     200   200
DELETE /api/categories/<category_id>/               401   403   403     403     204   204
GET    /api/products/                               200   200   200     200     200   200
POST   /api/products/                               401   403   403     403     201   201
GET    /api/products/<product_id>/                  200   200   200     200     200   200
PUT    /api/products/<product_id>/                  401   403   403     403     200   200
PATCH  /api/products/<product_id>/                  401   403   403     403     200   200
DELETE /api/products/<product_id>/                  401   403   403     403     204   204
GET    /api/products/<product_id>/stock/            401   403   403     403     200   200
POST   /api/products/<product_id>/stock/            401   403   403     403     201   201
GET    /api/products/<product_id>/reviews/          200   200   200     200     200   200
POST   /api/products/<product_id>/reviews/          401   201   201     201     201   201
GET    /api/reviews/<product_id>/<review_id>/       200   200   200     200     200   200
PATCH  /api/reviews/<product_id>/<review_id>/       401   403   200     200     403   200
DELETE /api/reviews/<product_id>/<review_id>/       401   403   204     204     403   204
GET    /api/cart/                                   401   200   200     200     200   200
DELETE /api/cart/                                   401   204   204     204     204   204
GET    /api/cart/items/                             401   200   200     200     200   200
POST   /api/cart/items/                             401   201   201     201     201   201
PATCH  /api/cart/items/<item_id>/                   401   404   200     404     404   404
DELETE /api/cart/items/<item_id>/                   401   404   204     404     404   404
GET    /api/wishlist/                               401   200   200     200     200   200
DELETE /api/wishlist/                               401   204   204     204     204   204
GET    /api/wishlist/items/                         401   200   200     200     200   200
POST   /api/wishlist/items/                         401   201   201     201     201   201
DELETE /api/wishlist/items/<item_id>/               401   404   204     404     404   404
GET    /api/orders/                                 401   200   200     200     200   200
POST   /api/orders/                                 401   201   201     201     201   201
GET    /api/orders/<order_id>/                      401   404   200     404     404   404
GET    /api/orders/<order_id>/items/                401   404   200     404     404   404
POST   /api/orders/<order_id>/cancel/               401   404   200     404     404   404
GET    /api/orders/<order_id>/payments/             401   404   200     404     404   404
POST   /api/orders/<order_id>/payments/             401   404   201     404     404   404
GET    /api/payments/                               401   200   200     200     200   200
GET    /api/payments/<payment_id>/                  401   404   200     404     404   404
POST   /api/payments/<payment_id>/refund/           401   403   403     200     403   200
POST   /api/payments/<payment_id>/received/         401   403   403     200     403   200
POST   /api/payments/<payment_id>/paid-out/         401   403   403     200     403   200
POST   /api/payments/webhook/                       401   401   401     401     401   401
GET    /api/staff/orders/                           401   403   403     200     403   200
GET    /api/staff/orders/<order_id>/                401   403   403     200     403   200
PATCH  /api/staff/orders/<order_id>/                401   403   403     200     403   200
GET    /api/staff/orders/<user_id>/<order_id>/      401   403   403     200     403   200
PATCH  /api/staff/orders/<user_id>/<order_id>/      401   403   403     200     403   200
GET    /api/staff/refunds/                          401   403   403     200     403   200
GET    /api/staff/webhooks/                         401   403   403     403     403   200
POST   /api/staff/webhooks/                         401   403   403     403     403   201
GET    /api/staff/webhooks/<endpoint_id>/           401   403   403     403     403   200
PATCH  /api/staff/webhooks/<endpoint_id>/           401   403   403     403     403   200
DELETE /api/staff/webhooks/<endpoint_id>/           401   403   403     403     403   204
GET    /api/staff/webhooks/<endpoint_id>/deliveries/ 401  403   403     403     403   200
POST   {REPLAY}  401 403 403 403 403 202
""".replace("{REPLAY}", REPLAY)

Key = tuple[str, str]
WITH_SESSION = ("/admin", "/shards", "/status")
# Who is in at the staff pages of our own; everybody else is sent to the login, or told (403).
PAGES = """
path                        nobody other owner support manager admin
/shards/                       302   302   302     403     403   200
/shards/picture/               302   302   302     403     403   200
/shards/<shard>/               302   302   302     403     403   404
/status/                       302   302   302     200     200   200
/status/runbooks/              302   302   302     200     200   200
/status/runbooks/<name>.md     302   302   302     404     404   404
"""


def _table() -> dict[Key, list[int]]:
    rows = [line.split() for line in TABLE.strip().splitlines()[1:]]
    return {(method, path): [int(status) for status in rest] for method, path, *rest in rows}


def _name(route: Route) -> str:
    return re.sub(r"<\w+:(\w+)>", r"<\1>", route.template)


def _offered(route: Route) -> list[str]:
    """Return the methods of a route; a view that is a function is there to be read."""
    view = getattr(route.view, "view_class", None)
    return [m for m in METHODS if hasattr(view, m.lower())] if view else ["GET"]


def _routes() -> Iterator[Route]:
    for route in all_routes():
        if not route.template.startswith(WITH_SESSION):  # not with tokens: see below
            yield route


def test_the_table_has_every_route_and_nothing_else() -> None:
    routed = {(method, _name(route)) for route in _routes() for method in _offered(route)}
    assert set(_table()) == routed


@dataclass
class World:
    """Everybody's clients, and the ids of what Ana has."""

    clients: dict[str, APIClient]
    refresh: dict[str, str]
    ids: dict[str, object]
    surprises: dict[str, object] = field(default_factory=dict)  # sent with every body
    query: str = ""  # sent with every path

    def body(self, method: str, path: str) -> dict[str, Any]:
        """Return a body with which the request would succeed if access were granted."""
        bodies: dict[Key, dict[str, Any]] = {
            ("POST", "/api/auth/register/"): {
                "username": "dora",
                "email": "dora@example.com",
                "password": PASSWORD,
            },
            ("POST", "/api/auth/login/"): {"username": "ana", "password": PASSWORD},
            ("POST", "/api/auth/refresh/"): {"refresh": self.refresh["owner"]},
            ("POST", "/api/auth/logout/"): {"refresh": self.refresh["owner"]},
            ("PATCH", "/api/users/me/"): {"first_name": "A"},
            ("DELETE", "/api/users/me/"): {"password": PASSWORD},
            ("POST", "/api/users/me/password/"): {
                "current_password": PASSWORD,
                "new_password": f"another {PASSWORD}",
            },
            ("PATCH", "/api/users/<user_id>/"): {"is_active": False},
            ("POST", "/api/categories/"): {"name": "New"},
            ("PUT", "/api/categories/<category_id>/"): {"name": "Renamed"},
            ("PATCH", "/api/categories/<category_id>/"): {"name": "Renamed"},
            ("POST", "/api/products/"): self.product,
            ("PUT", "/api/products/<product_id>/"): self.product,
            ("PATCH", "/api/products/<product_id>/"): {"price": "1.00"},
            ("POST", "/api/products/<product_id>/stock/"): {"delta": 1, "reason": "receipt"},
            ("POST", "/api/products/<product_id>/reviews/"): {"rating": 5},
            ("PATCH", "/api/reviews/<product_id>/<review_id>/"): {"rating": 1},
            ("POST", "/api/cart/items/"): {"product_id": self.ids["sold_id"]},
            ("PATCH", "/api/cart/items/<item_id>/"): {"quantity": 2},
            ("POST", "/api/wishlist/items/"): {"product_id": self.ids["sold_id"]},
            ("POST", "/api/orders/"): {"payment_method": "card"},
            ("POST", "/api/orders/<order_id>/payments/"): {"payment_method": "card"},
            ("POST", "/api/payments/<payment_id>/refund/"): {},
            ("POST", "/api/payments/<payment_id>/received/"): {},
            ("POST", "/api/payments/<payment_id>/paid-out/"): {},
            ("POST", "/api/staff/webhooks/"): WEBHOOK,
            ("PATCH", "/api/staff/webhooks/<endpoint_id>/"): {"is_active": True},
            ("PATCH", "/api/staff/orders/<order_id>/"): {"order_status": "cancelled"},
            ("PATCH", "/api/staff/orders/<user_id>/<order_id>/"): {"order_status": "cancelled"},
        }
        return bodies.get((method, path), {}) | self.surprises

    @property
    def product(self) -> dict[str, Any]:
        return {"name": "New", "price": "1.00", "category_id": self.ids["category_of_sold"]}

    def ask(self, method: str, path: str, actor: str) -> Any:
        """Ask as an actor for what is Ana's, and undo what that changes."""
        headers = {"Idempotency-Key": str(new_id())}
        with transaction.atomic():
            response = getattr(self.clients[actor], method.lower())(
                f"{self.filled(path)}{self.query}", self.body(method, path) or None, headers=headers
            )
            transaction.set_rollback(True)
        return response

    def filled(self, path: str) -> str:
        """Return a path of the table with Ana's ids."""
        room = (*path.split("/"), "")[2]
        action = path.rpartition(">/")[2].rstrip("/")

        def own(match: re.Match[str]) -> str:
            name = match[1]
            found = (f"{name} {action}", f"{room}_{name}", name)
            return str(next((self.ids[key] for key in found if key in self.ids), None))

        return re.sub(r"<(\w+)>", own, path)


@pytest.fixture
def world(
    ana: User,
    bo: User,
    sam: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    settings: Any,
) -> World:
    settings.THROTTLE_RATES = dict.fromkeys(settings.THROTTLE_RATES, "off")
    staff = {name: _staff(name, role) for name, role in STAFF.items()}
    people = {"other": bo, "owner": ana, **staff, "admin": sam}
    clients = {name: as_user(user) for name, user in people.items()}
    sold, reviewed, unsold = (make_product(name, stock=n) for name, n in STOCKED.items())
    ids = _ids_of_ana(ana, clients["owner"], sold.id, reviewed.id)
    ids |= {
        "user_id": ana.id,
        "sold_id": sold.id,
        "product_id": unsold.id,
        "reviews_product_id": reviewed.id,
        "category_of_sold": sold.category_id,
        "category_id": _made(clients["admin"].post("/api/categories/", {"name": "Empty"}))["id"],
    }
    ids |= _webhook(clients["admin"], ana)
    for name in people:  # everybody has something in their cart
        _made(clients[name].post("/api/cart/items/", {"product_id": sold.id}))
    refresh = {"owner": tokens.issue(ana).refresh}
    return World({"nobody": APIClient(), **clients}, refresh, ids)


WEBHOOK = {"url": "https://merchant.example/events", "topics": ["order.paid"]}
STAFF = {"support": Role.SUPPORT, "manager": Role.CATALOG_MANAGER}
STOCKED = {"A sold book": 100, "A reviewed book": 100, "A book that nobody touched": 0}


def _staff(name: str, role: Role) -> User:
    return accounts.register(
        username=name, email=f"{name}@example.com", password=PASSWORD, role=role
    )


def _made(response: Any) -> Any:
    assert response.status_code == 201, response.content
    return response.json()


def _webhook(admin: APIClient, ana: User) -> dict[str, object]:
    """An endpoint, and what it was told of Ana."""
    endpoint_id = _made(admin.post("/api/staff/webhooks/", WEBHOOK))["id"]
    delivery = WebhookDelivery.objects.create(
        user_id=ana.id, endpoint_id=endpoint_id, event_id=new_id(), topic="order.paid", body="{}"
    )
    return {"endpoint_id": endpoint_id, "delivery_id": delivery.id}


def _ids_of_ana(ana: User, client: APIClient, sold_id: int, reviewed_id: int) -> dict[str, object]:
    """Ana has an order whose payment failed, one that is paid, a review, a line and a wish.

    Another waits for a bank, and the money of a last one has to go back.
    """
    failed, paid, unpaid, cancelled = (_order(client, sold_id) for _ in range(4))
    payments = Payment.objects.for_user(ana.id)
    payments.filter(order_id__in=[unpaid, cancelled]).update(payment_method="bank_transfer")
    payments.filter(order_id=cancelled).update(status=Payment.Status.REFUND_DUE)
    payments.filter(order_id=failed).update(status=Payment.Status.FAILED)
    payments.filter(order_id=paid).update(status=Payment.Status.SUCCEEDED)
    Order.objects.for_user(ana.id).filter(id=paid).update(order_status=Order.Status.PAID)
    review = _made(client.post(f"/api/products/{reviewed_id}/reviews/", {"rating": 3}))
    wish = _made(client.post("/api/wishlist/items/", {"product_id": sold_id}))
    line = _made(client.post("/api/cart/items/", {"product_id": reviewed_id}))
    return {
        "order_id": failed,
        "payment_id": payments.get(order_id=paid).id,
        "payment_id received": payments.get(order_id=unpaid).id,
        "payment_id paid-out": payments.get(order_id=cancelled).id,
        "review_id": review["id"],
        "wishlist_item_id": wish["id"],
        "cart_item_id": line["id"],
    }


def _order(client: APIClient, product_id: int) -> str:
    _made(client.post("/api/cart/items/", {"product_id": product_id}))
    key = {"Idempotency-Key": str(new_id())}
    return _made(client.post("/api/orders/", {"payment_method": "card"}, headers=key))["id"]


def _room(key: Key) -> str:
    return "/".join(key[1].split("/")[1:3])


@pytest.mark.parametrize("room", sorted({_room(key) for key in _table()}))
def test_everybody_is_answered_as_the_table_says(world: World, room: str) -> None:
    rows = {key: expected for key, expected in _table().items() if _room(key) == room}
    answered = {key: [world.ask(*key, actor).status_code for actor in ACTORS] for key in rows}
    assert answered == rows


def _writes() -> list[Key]:
    """Return what takes a body from callers of ours, or could be sent one by mistake."""
    return [key for key in _table() if key[0] in ("POST", "PUT", "PATCH") or key in DELETES_BY_BODY]


DELETES_BY_BODY = [("DELETE", "/api/users/me/")]
GATEWAYS = ("POST", "/api/payments/webhook/")


@pytest.mark.parametrize("room", sorted({_room(key) for key in _writes()}))
def test_every_write_refuses_a_field_that_it_does_not_know_by_name(world: World, room: str) -> None:
    world.surprises = {"prise": "7.00"}
    for key in _writes():
        if _room(key) == room and key != GATEWAYS:
            body = assert_problem(world.ask(*key, _entitled(key)), 400, "unknown_field")
            assert [error["field"] for error in body["errors"]] == ["prise"], key


def _entitled(key: Key) -> str:
    """Return who may do this: its owner if they can, for nothing is an admin's own."""
    allowed = dict(zip(ACTORS, _table()[key], strict=True))
    return next(actor for actor in ("owner", "admin") if allowed[actor] < 300)


LISTS = [key for key in _table() if key[0] == "GET" and key[1].endswith(("s/", "deliveries/"))]


@pytest.mark.parametrize("key", LISTS, ids=lambda key: key[1])
def test_a_list_that_needs_a_token_refuses_a_parameter_that_it_does_not_know(
    world: World, key: Key
) -> None:
    world.query = "?stauts=paid&utm_source=mail"
    answer = world.ask(*key, _entitled(key))
    if _table()[key][0] == 200:
        assert answer.status_code == 200  # the public catalog ignores trackers
        return
    body = assert_problem(answer, 400, "unknown_parameter")
    assert [error["field"] for error in body["errors"]] == ["stauts", "utm_source"]


def _admin_paths() -> list[str]:
    routes = [r for r in all_routes() if r.template.startswith("/admin/")]
    paths = {re.sub(r"<\w+:\w+>|\^?\(\?P<\w+>[^)]*\)\$?", "1", r.template) for r in routes}
    return sorted(path for path in paths if path != OPEN_ADMIN_PATH)


OPEN_ADMIN_PATH = "/admin/login/"


@pytest.mark.parametrize("actor", ["nobody", "owner", "admin"])
def test_no_token_opens_a_page_of_the_admin_which_wants_a_session(world: World, actor: str) -> None:
    client = world.clients[actor]
    answers = {path: client.get(path) for path in _admin_paths()}
    assert len(answers) > 10
    opened = {
        path: answer.status_code
        for path, answer in answers.items()
        if answer.status_code != 302 or not answer.headers["Location"].startswith("/admin/")
    }
    assert opened == {}
    assert client.get(OPEN_ADMIN_PATH).status_code == 200


def _pages() -> dict[str, list[int]]:
    rows = [line.split() for line in PAGES.strip().splitlines()[1:]]
    return {path: [int(status) for status in rest] for path, *rest in rows}


def test_the_other_staff_pages_are_those_of_the_table() -> None:
    routed = {_name(r) for r in all_routes() if r.template.startswith(("/shards", "/status"))}
    assert set(_pages()) == routed


def test_a_session_opens_the_staff_pages_that_are_for_its_role(
    ana: User, bo: User, sam: User, settings: Any
) -> None:
    settings.SHARD_MONITOR_DSN = _dsn_of_tests()
    staff = {name: _staff(name, role) for name, role in STAFF.items()}
    people = {"nobody": None, "other": bo, "owner": ana, **staff, "admin": sam}
    answered = {path: [_opened(path, people[actor]) for actor in ACTORS] for path in _pages()}
    assert answered == _pages()


def _dsn_of_tests() -> str:
    database = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    names |= {"dbname": "NAME"}
    return make_dsn(**{name: database[key] for name, key in names.items()})


def _opened(path: str, user: User | None) -> int:
    client = Client()
    if user:
        client.force_login(user)
    return client.get(re.sub(r"<\w+>", "1", path)).status_code


def test_a_token_is_no_session(world: World) -> None:
    for path in _pages():
        assert world.clients["admin"].get(re.sub(r"<\w+>", "1", path)).status_code == 302


FOR_STAFF = re.compile(
    r"\w+ /api/staff/.*|\w+ /api/users/(?!me/).*|\w+ .*/(stock|refund)/"
    r"|(POST|PUT|PATCH|DELETE) /api/(categories|products)/(<\w+>/)?"
)


def test_a_customers_token_opens_no_staff_path(world: World) -> None:
    staff_only = [key for key in _table() if FOR_STAFF.fullmatch(" ".join(key))]
    assert len(staff_only) >= 17
    for key in staff_only:
        for customer in ("owner", "other"):
            assert_problem(world.ask(*key, customer), 403, "permission_denied")


def _claims(user: User, **changed: object) -> AccessToken:
    token = AccessToken()
    token["sub"], token["role"] = str(user.id), user.role
    for name, value in changed.items():
        token[name] = value
    return token


def _expired(user: User) -> str:
    token = _claims(user)
    token.set_exp(lifetime=-timedelta(seconds=1))
    return str(token)


def _part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def _unsigned(user: User, alg: str) -> str:
    payload = _claims(user, role="admin").payload
    return f"{_part({'alg': alg, 'typ': 'JWT'})}.{_part(payload)}."


def _promoted(user: User) -> str:
    """Ana's own token, with its claims exchanged for an admin's."""
    head, _, signature = str(_claims(user)).split(".")
    return f"{head}.{_part(_claims(user, role='admin').payload)}.{signature}"


def _cut(user: User) -> str:
    return str(_claims(user))[:-5]


FORGERIES: dict[str, Callable[[User], str]] = {
    "expired": _expired,
    "alg none": lambda user: _unsigned(user, "none"),
    "alg None": lambda user: _unsigned(user, "None"),
    "alg HS256 without signature": lambda user: _unsigned(user, "HS256"),
    "other claims": _promoted,
    "cut off": _cut,
    "a refresh token": lambda user: tokens.issue(user).refresh,
    "a role that there is not": lambda user: str(_claims(user, role="root")),
    "no user's id": lambda user: str(_claims(user, sub="1")),
    "nothing": lambda user: "",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
@pytest.mark.parametrize("path", ["/api/cart/", "/api/users/"])
def test_a_token_that_we_did_not_sign_for_this_opens_nothing(
    client: APIClient, ana: User, path: str, forge: Callable[[User], str]
) -> None:
    response = client.get(path, headers={"Authorization": f"Bearer {forge(ana)}"})
    assert_problem(response, 401, "invalid_token")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_token_that_is_not_good_closes_nothing_that_is_open_to_everybody(
    client: APIClient, ana: User, make_product: MakeProduct, forge: Callable[[User], str]
) -> None:
    product = make_product()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {forge(ana)}")
    pair = client.post("/api/auth/login/", {"username": "ana", "password": PASSWORD}).json()
    again = client.post("/api/auth/refresh/", {"refresh": pair["refresh"]})
    newcomer = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
    assert again.status_code == 200
    assert client.post("/api/auth/register/", newcomer).status_code == 201
    assert client.post("/api/auth/logout/", {"refresh": again.json()["refresh"]}).status_code == 204
    for path in ("/api/products/", f"/api/products/{product.id}/", "/api/categories/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store, private"
    assert client.get(f"/api/products/{product.id}/reviews/").status_code == 200
    assert_problem(client.post("/api/products/", {}), 401, "invalid_token")


def test_the_token_that_is_forged_above_would_be_good(client: APIClient, ana: User) -> None:
    good = {"Authorization": f"Bearer {_claims(ana)}"}
    assert client.get("/api/cart/", headers=good).status_code == 200
