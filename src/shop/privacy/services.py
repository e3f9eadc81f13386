"""Forgetting a user.

What goes: the claimed names, the tokens, cart, wishlist and idempotency keys, the notes of sent
mails, outbox events that nobody waits for any more and no dead letter is about, and the reviews. A
review is its author's own words, which may name them in ways that no program finds, and a rating
that nobody stands behind is worth nothing to others; so reviews are removed, not anonymised.

What stays: orders, their lines, history and payments, for the books; and the user's row that they
refer to, without a name, an address or a password. None of it tells who it was. A payment's token
goes when the payment is settled.

An access token that is out is believed until it expires, at most 15 minutes; it finds no account
to read, and changes nothing.
"""

from uuid import UUID

from sharding.django.transactions import atomic
from shop.accounts import services as accounts
from shop.accounts.errors import FieldRefused, OwnAccount
from shop.accounts.models import User
from shop.accounts.selectors import locked_user
from shop.carts import services as carts
from shop.core.db import retrying
from shop.core.errors import AccountClosed
from shop.core.models import IdempotencyKey, OutboxEvent
from shop.core.roles import USER_ADMINS
from shop.notifications.models import SentMail
from shop.reviews.models import Review
from shop.wishlists import services as wishlists


def delete_account(*, user_id: UUID, password: str, address: str) -> None:
    """Forget a user, all in one transaction; their names are free again.

    The reviews lie with their products: every shard is asked for them, and Citus commits in two
    phases.

    Args:
        address: of the client; wrong passwords count as at login.

    Raises:
        OwnAccount: admins have to be demoted by another admin first, so that one remains.
        FieldRefused: the password is wrong.
        AccountClosed, Throttled
    """
    user = accounts.confirmed_user(
        user_id=user_id, field="password", password=password, address=address
    )
    retrying(lambda: _forget(user_id, confirmed=user.password))


def _forget(user_id: UUID, *, confirmed: str) -> None:
    with atomic(User, user_id):
        user = locked_user(user_id)
        if user is None:
            raise AccountClosed
        if user.password != confirmed:
            raise FieldRefused("password", "wrong_password", "This is not your password.")
        if user.role in USER_ADMINS:
            raise OwnAccount("You are an admin; ask another one to change your role first.")
        Review.objects.cross_shard().filter(user_id=user_id).delete()
        carts.empty(user_id)
        wishlists.clear(user_id)
        SentMail.objects.for_user(user_id).delete()
        IdempotencyKey.objects.for_user(user_id).delete()
        OutboxEvent.objects.for_user(user_id).filter(OutboxEvent.ended()).delete()
        accounts.anonymise(user)
