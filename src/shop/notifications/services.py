"""Sending a mail exactly once, as far as SMTP lets anybody.

Invariant: the row that says a mail was sent is written in the transaction in which it is sent, and
its key admits one. Of two tasks for the same mail, the second waits for the first at that key, and
then sends nothing. One window is left: the mail server has taken the mail, and the commit is lost.
Then it is sent again, under the same Message-ID, by which mail stores know it for the same mail.
"""

from email.utils import parseaddr
from smtplib import SMTPRecipientsRefused
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone

from sharding.django.transactions import atomic, cursor_for
from shop.accounts.models import User
from shop.core.tasks import NotNow, Permanent
from shop.notifications.models import SentMail
from shop.orders.models import Order
from shop.orders.selectors import order_of

CLAIM = """
INSERT INTO {mails} (user_id, kind, subject_id, sent_at)
VALUES (%s, %s, %s, %s) ON CONFLICT (user_id, kind, subject_id) DO NOTHING
"""


class AddressRefused(Permanent):
    """The mail server says that it will never deliver to this address."""


class AddressDeferred(NotNow):
    """The mail server does not deliver to this address now; later it may."""


def send_once(
    *,
    user_id: UUID,
    kind: str,
    order_id: UUID,
    subject_id: UUID | None = None,
    **context: Any,
) -> bool:
    """Send a mail about an order unless it was sent before; tell whether it was sent now.

    A user who has deleted the account, and with it the address, gets none.

    Args:
        kind: one of SentMail.Kind; names the templates.
        subject_id: what there is one such mail about, if not the order.
        context: further values for the templates.

    Raises:
        AddressRefused: for good.
        AddressDeferred: not now; nothing was recorded.
        OSError: the mail server does not answer, or not yet; nothing was recorded.
        NotFound: the user has no such order.
    """
    about = subject_id or order_id
    with atomic(SentMail, user_id):
        if not _claim(user_id, kind, about):
            return False
        user = User.objects.for_user(user_id).filter(deleted_at=None).first()
        if user is None:
            return False
        _send(compose(user, kind, about, order_of(user_id, order_id), **context))
    return True


def compose(
    user: User, kind: str, subject_id: UUID, order: Order, **context: Any
) -> EmailMultiAlternatives:
    """Return a mail about an order, as text and as HTML. The same mail has the same Message-ID."""
    values = {"user": user, "order": order, "lines": list(order.items.all()), **context}
    domain = parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2]
    template = f"notifications/{kind}"
    mail = EmailMultiAlternatives(
        subject=" ".join(render_to_string(f"{template}.subject.txt", values).split()),
        body=render_to_string(f"{template}.txt", values),
        from_email=settings.MAIL_FROM,
        to=[user.email],
        headers={
            "Message-ID": f"<{kind}.{subject_id}@{domain}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string(f"{template}.html", values), "text/html")
    return mail


def _claim(user_id: UUID, kind: str, subject_id: UUID) -> bool:
    with cursor_for(SentMail, user_id) as cursor:
        sql = CLAIM.format(mails=SentMail._meta.db_table)
        cursor.execute(sql, [user_id, kind, subject_id, timezone.now()])
        return bool(cursor.rowcount)


def _send(mail: EmailMultiAlternatives) -> None:
    try:
        mail.send()
    except SMTPRecipientsRefused as error:
        # The error names the address, and outlives it in logs and dead letters: only codes go on.
        codes = sorted(code for code, _ in error.recipients.values())
        refused = AddressRefused if codes[0] >= 500 else AddressDeferred
        raise refused(f"The mail server answers {codes} to the address.") from None
