"""Create a member of staff, the password from a prompt or from standard input."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.accounts import services
from shop.accounts.errors import IdentityTaken
from shop.accounts.models import User
from shop.core.roles import STAFF, Role


class Command(BaseCommand):
    help = "Create a member of staff. The password comes from a prompt, or from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", required=True, choices=sorted(STAFF))

    def handle(self, *args: Any, **options: Any) -> None:
        username, email = options["username"], options["email"]
        password = _password()
        try:
            User(username=username, email=email).clean_fields(exclude=["password"])
            validate_password(password, User(username=username, email=email))
            user = services.register(
                username=username, email=email, password=password, role=Role(options["role"])
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except IdentityTaken as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"Created {user.username} ({user.role}), id {user.id}.")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise CommandError("The two passwords differ.")
    return password
