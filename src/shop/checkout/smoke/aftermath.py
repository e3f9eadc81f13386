"""What follows an order: the worker charges it, and mails the buyer."""

import email
import email.policy
from time import monotonic, sleep

from shop.checkout.smoke.client import Failed, Shop
from shop.checkout.smoke.mails import Reader

PATIENCE = 60  # seconds: the sweep's turn, and a retry or two
READ_MAIL = "read the confirmation"


def see_it_paid(buyer: Shop, order: str) -> None:
    """Wait until the order is paid.

    Raises:
        Failed: it is not paid within PATIENCE seconds; `make status` then shows who is unwell.
    """
    buyer.until(
        "the order is paid",
        f"/api/orders/{order}/",
        holds=lambda body: body["order_status"] == "paid",
        seconds=PATIENCE,
    )


def confirmation_of(order: str, mails: Reader) -> str:
    """Wait for the order's confirmation in the mail catcher; return it as text.

    Raises:
        Failed: it has not come within PATIENCE seconds.
    """
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        for content in mails():
            if order.encode() in content:
                return _text(content)
        sleep(0.2)
    raise Failed(READ_MAIL, f"no mail about order {order} came within {PATIENCE} s.")


def _text(content: bytes) -> str:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    body = mail.get_body(("plain",))
    text = body.get_content().strip() if body else ""
    return f"To: {mail['To']}\nSubject: {mail['Subject']}\n\n{text}"
