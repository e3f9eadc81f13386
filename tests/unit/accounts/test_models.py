import pytest

from shop.accounts.models import Identity, User
from shop.core.roles import Role


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana", "ANA"),
        ("straße", "STRASSE"),
        ("ﬁona", "fiona"),  # one letter that stands for two
        ("ａｎａ", "ana"),  # full-width letters
        ("jose\u0301", "José"),  # an accent of its own
        ("σίσυφος", "ΣΊΣΥΦΟΣ"),
    ],
)
def test_names_that_look_alike_are_the_same_claim(one: str, other: str) -> None:
    assert Identity.name_of("username", one) == Identity.name_of("username", other)


@pytest.mark.parametrize(("one", "other"), [("ana", "anna"), ("jose", "josé"), ("a.b", "ab")])
def test_names_that_differ_are_different_claims(one: str, other: str) -> None:
    assert Identity.name_of("username", one) != Identity.name_of("username", other)


def test_a_username_never_claims_an_email_address() -> None:
    name = "ana@example.com"
    assert Identity.name_of("username", name) != Identity.name_of("email", name)
    assert Identity.name_of("email", "Ana@Example.COM") == "email:ana@example.com"


@pytest.mark.parametrize(("role", "is_staff"), [(r, r != Role.CUSTOMER) for r in Role])
def test_everybody_but_customers_is_staff(role: Role, is_staff: bool) -> None:
    assert User(role=role).is_staff is is_staff
