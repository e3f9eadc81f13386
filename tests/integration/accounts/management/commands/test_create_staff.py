"""The command that makes a member of staff."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from shop.accounts.management.commands import create_staff
from shop.accounts.models import Identity, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

SAM = {"username": "sam", "email": "sam@example.com", "role": "admin"}


class Terminal(StringIO):
    """A standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr("sys.stdin", StringIO(text))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let somebody type these passwords, one at each prompt."""

    def type_in(*passwords: str) -> None:
        answers = iter(passwords)
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr(create_staff, "getpass", lambda prompt: next(answers))

    return type_in


def create(**changes: str) -> str:
    out = StringIO()
    options = [f"--{name}={value}" for name, value in (SAM | changes).items()]
    call_command("create_staff", *options, stdout=out)
    return out.getvalue()


def created() -> User:
    return User.objects.cross_shard().get()


def test_the_password_comes_from_standard_input(standard_input: Callable[[str], None]) -> None:
    standard_input(f"{PASSWORD}\nand another line\n")
    said = create()
    assert created().check_password(PASSWORD)
    assert created().role == "admin"
    assert said == f"Created sam (admin), id {created().id}.\n"
    assert PASSWORD not in said


def test_the_password_comes_from_two_prompts_that_agree(typed: Callable[..., None]) -> None:
    typed(PASSWORD, PASSWORD)
    create()
    assert created().check_password(PASSWORD)


def test_two_prompts_that_differ_make_nobody(typed: Callable[..., None]) -> None:
    typed(PASSWORD, PASSWORD + " ")
    with pytest.raises(CommandError, match="differ"):
        create()
    assert not User.objects.cross_shard().exists()


@pytest.mark.parametrize("role", ["support", "catalog_manager", "admin"])
def test_each_role_of_the_staff_can_be_given(
    standard_input: Callable[[str], None], role: str
) -> None:
    standard_input(PASSWORD)
    create(role=role)
    assert created().role == role


@pytest.mark.parametrize("role", ["customer", "emperor", ""])
def test_no_other_role_can_be_given(standard_input: Callable[[str], None], role: str) -> None:
    standard_input(PASSWORD)
    with pytest.raises(CommandError, match="invalid choice"):
        create(role=role)


@pytest.mark.parametrize("option", ["username", "email", "role"])
def test_no_option_can_be_left_out(standard_input: Callable[[str], None], option: str) -> None:
    standard_input(PASSWORD)
    with pytest.raises(CommandError, match=f"--{option}"):
        call_command("create_staff", *[f"--{n}={v}" for n, v in SAM.items() if n != option])


@pytest.mark.parametrize(
    ("changes", "password"),
    [
        ({}, ""),
        ({}, "short"),
        ({}, "sam@example.com"),
        ({"email": "sam"}, PASSWORD),
        ({"email": ""}, PASSWORD),
        ({"username": ""}, PASSWORD),
        ({"username": "x" * 151}, PASSWORD),
        ({"username": "s a m"}, PASSWORD),
    ],
)
def test_bad_input_makes_nobody(
    standard_input: Callable[[str], None], changes: dict[str, str], password: str
) -> None:
    standard_input(password + "\n")
    with pytest.raises(CommandError):
        create(**changes)
    assert not User.objects.cross_shard().exists()
    assert not Identity.objects.cross_shard().exists()


@pytest.mark.parametrize("changes", [{"email": "other@example.com"}, {"username": "other"}])
def test_a_name_that_is_taken_is_said_in_one_sentence(
    standard_input: Callable[[str], None], sam: Any, changes: dict[str, str]
) -> None:
    standard_input(PASSWORD)
    with pytest.raises(CommandError, match=r"^This (username|email) is already taken\.$"):
        create(**changes)
    assert created() == sam
