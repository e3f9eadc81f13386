"""Play a buyer's whole journey over HTTP, through HAProxy, and print each step."""

import logging
import ssl
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.checkout.smoke.aftermath import READ_MAIL, confirmation_of, see_it_paid
from shop.checkout.smoke.client import Failed, Reporter, Shop
from shop.checkout.smoke.journey import Journey
from shop.checkout.smoke.mails import Reader, kept_in, of_mailpit

TIMEOUT = 30  # seconds, as long as HAProxy waits for an application server


class Command(BaseCommand):
    help = (
        "Play a buyer's whole journey over HTTP, through HAProxy, with a real client: sign up, "
        "browse, fill a cart, order, order again by accident, see it paid, read the mail. It "
        "leaves behind what it makes: two customers, a member of staff who is deactivated at the "
        "end, a category, two products, an order. Fails, naming the step, as soon as an answer is "
        "not what it should be."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default=settings.PUBLIC_URL, help="the store's address; default: %(default)s"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # It logs each request as the application would, between the steps.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        report = Reporter(self.stdout.write)
        # Proxies of the environment are for the outside; the stack is here. A certificate made at
        # home is believed when SSL_CERT_FILE names it.
        trust = ssl.create_default_context()
        with httpx.Client(
            base_url=options["url"], timeout=TIMEOUT, trust_env=False, verify=trust
        ) as http:
            try:
                buyer, order = Journey(Shop(http, report)).play()
                see_it_paid(buyer, order)
                self._show_mail(order)
            except Failed as failure:
                raise CommandError(f"Step {failure.step!r} failed: {failure}") from None
            except httpx.HTTPError as error:
                raise CommandError(
                    f"Step {report.step!r} failed: {options['url']} does not answer "
                    f"({error or type(error).__name__}); run `make up` first."
                ) from None
        self.stdout.write(self.style.SUCCESS(f"The whole journey succeeded: {report.steps} steps."))

    def _show_mail(self, order: str) -> None:
        """Print the confirmation, where the stack has a catcher of mail that keeps it."""
        directory = Path(settings.RUN_DIR) / "mail"
        if settings.MAILPIT_URL:
            with httpx.Client(base_url=settings.MAILPIT_URL, timeout=10, trust_env=False) as http:
                text = self._confirmation(order, of_mailpit(http))
        elif settings.RUN_DIR and directory.is_dir():
            text = confirmation_of(order, kept_in(directory))
        else:
            return
        self.stdout.write("\n" + "\n".join(f"    {line}" for line in text.splitlines()) + "\n")

    def _confirmation(self, order: str, mails: Reader) -> str:
        try:
            return confirmation_of(order, mails)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            what = f"Mailpit at {settings.MAILPIT_URL} does not answer as it should ({error!r})."
            raise Failed(READ_MAIL, what) from None
