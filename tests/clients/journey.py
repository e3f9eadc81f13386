"""A shopper's journey in the words of the generated client, types and errors included.

Imported once the client is generated, and read by mypy then: no cast, no Any, no status by hand.
"""

from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from shardmart_client import AuthenticatedClient, Client
from shardmart_client.api.authentication import auth_login, auth_refresh, auth_register
from shardmart_client.api.cart import cart_items_add, cart_items_update, cart_read
from shardmart_client.api.catalog import products_list, products_read
from shardmart_client.api.my_account import me_delete, me_export
from shardmart_client.api.orders import orders_cancel, orders_list, orders_place
from shardmart_client.api.payments import orders_payments_list
from shardmart_client.api.reviews import reviews_write
from shardmart_client.models import (
    AccountClosedProblem,
    AlreadyReviewedProblem,
    AlreadyTakenProblem,
    Cart,
    CartAdditionRequest,
    CartItem,
    DeletionRequest,
    Export,
    InsufficientStockProblem,
    InvalidCredentialsProblem,
    InvalidProblem,
    InvalidTransitionProblem,
    LoginRequest,
    NotFoundProblem,
    Order,
    PaginatedOrderList,
    PaginatedProductList,
    Pair,
    PatchedQuantityRequest,
    PlaceOrderRequest,
    PlaceOrderRequestPaymentMethod,
    PreconditionFailedProblem,
    RatedProduct,
    RefreshRequest,
    RegistrationRequest,
    Review,
    ReviewRequest,
    Session,
)

PASSWORD = "correct horse battery staple"
SignIn = Callable[[str], AuthenticatedClient]


def play(visitor: Client, sign_in: SignIn, *, product_id: int, scarce_id: int) -> None:
    """Play it from the registration to the account's end.

    Args:
        sign_in: makes a client that carries an access token.
        scarce_id: a product with fewer than 500 units on the shelf.
    """
    session = register(visitor)
    browse(visitor, product_id)
    me = sign_in(session.access)
    fill(me, product_id)
    order = buy(me)
    fall_short(me, scarce_id)
    cancel(me, order)
    review(me, product_id)
    leave(me, order)


def register(visitor: Client) -> Session:
    name = f"user-{uuid4().hex[:12]}"
    new = RegistrationRequest(username=name, email=f"{name}@example.com", password=PASSWORD)
    session = auth_register.sync(client=visitor, body=new)
    assert isinstance(session, Session)
    assert session.user.username == name

    taken = auth_register.sync(client=visitor, body=new)
    assert isinstance(taken, AlreadyTakenProblem)
    assert taken.field == "email"

    weak = RegistrationRequest(username="x", email="no", password=PASSWORD)
    invalid = auth_register.sync(client=visitor, body=weak)
    assert isinstance(invalid, InvalidProblem)
    assert [error.field for error in invalid.errors] == ["username", "email"]

    wrong = auth_login.sync(client=visitor, body=LoginRequest(username=name, password="wrong"))
    assert isinstance(wrong, InvalidCredentialsProblem)
    assert wrong.code.value == "invalid_credentials"

    pair = auth_refresh.sync(client=visitor, body=RefreshRequest(refresh=session.refresh))
    assert isinstance(pair, Pair)
    return session


def browse(visitor: Client, product_id: int) -> None:
    page = products_list.sync(client=visitor, page_size=1)
    assert isinstance(page, PaginatedProductList)
    assert len(page.results) == 1
    assert page.next_ is not None
    product = products_read.sync(product_id, client=visitor)
    assert isinstance(product, RatedProduct)
    assert float(product.price) > 0
    nothing = products_read.sync(2**40, client=visitor)
    assert isinstance(nothing, NotFoundProblem)


def fill(me: AuthenticatedClient, product_id: int) -> None:
    line = cart_items_add.sync(client=me, body=CartAdditionRequest(product_id=product_id))
    assert isinstance(line, CartItem)
    seen = cart_read.sync_detailed(client=me)
    assert isinstance(seen.parsed, Cart)
    etag = seen.headers["ETag"]

    two = PatchedQuantityRequest(quantity=2)
    changed = cart_items_update.sync(line.id, client=me, body=two, if_match=etag)
    assert isinstance(changed, CartItem)
    assert changed.quantity == 2
    late = cart_items_update.sync(line.id, client=me, body=two, if_match=etag)
    assert isinstance(late, PreconditionFailedProblem)


def buy(me: AuthenticatedClient) -> Order:
    by_card = PlaceOrderRequest(
        payment_method=PlaceOrderRequestPaymentMethod.CARD, payment_token="tok_success"
    )
    order = orders_place.sync(client=me, body=by_card, idempotency_key="journey-1")
    assert isinstance(order, Order)
    assert [line.quantity for line in order.items] == [2]
    again = orders_place.sync_detailed(client=me, body=by_card, idempotency_key="journey-1")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.parsed == order
    payments = orders_payments_list.sync(order.id, client=me)
    assert isinstance(payments, list)
    assert payments[0].amount == order.total_amount
    return order


def fall_short(me: AuthenticatedClient, scarce_id: int) -> None:
    much = CartAdditionRequest(product_id=scarce_id, quantity=500)
    assert isinstance(cart_items_add.sync(client=me, body=much), CartItem)
    by_card = PlaceOrderRequest(payment_method=PlaceOrderRequestPaymentMethod.CARD)
    refusal = orders_place.sync(client=me, body=by_card, idempotency_key="journey-2")
    assert isinstance(refusal, InsufficientStockProblem)
    (short,) = refusal.lines
    assert (short.product_id, short.requested) == (scarce_id, 500)
    assert short.available < 500


def cancel(me: AuthenticatedClient, order: Order) -> None:
    cancelled = orders_cancel.sync(order.id, client=me, idempotency_key="journey-3")
    assert isinstance(cancelled, Order)
    refusal = orders_cancel.sync(order.id, client=me, idempotency_key="journey-4")
    assert isinstance(refusal, InvalidTransitionProblem)
    assert (refusal.from_, refusal.to) == ("cancelled", "cancelled")


def review(me: AuthenticatedClient, product_id: int) -> None:
    liked = ReviewRequest(rating=5, comment="Read it by the sea.")
    written = reviews_write.sync(product_id, client=me, body=liked)
    assert isinstance(written, Review)
    again = reviews_write.sync(product_id, client=me, body=liked)
    assert isinstance(again, AlreadyReviewedProblem)


def leave(me: AuthenticatedClient, order: Order) -> None:
    mine = me_export.sync(client=me)
    assert isinstance(mine, Export)
    (exported,) = mine.orders
    assert exported.id == order.id
    assert exported.payments[0].amount == order.total_amount
    gone = me_delete.sync_detailed(client=me, body=DeletionRequest(password=PASSWORD))
    assert gone.status_code == HTTPStatus.NO_CONTENT
    closed = me_export.sync(client=me)
    assert isinstance(closed, AccountClosedProblem)
    assert isinstance(orders_list.sync(client=me), PaginatedOrderList)
