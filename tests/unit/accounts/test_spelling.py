"""One name, one password, whatever keyboard it was typed on."""

import pytest

from shop.accounts.spelling import normal_form, password_forms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@münchen.example", "ana@xn--mnchen-3ya.example"),
        ("ana@MÜNCHEN.Example", "Ana@XN--MNCHEN-3YA.example"),
        ("ana@mu\u0308nchen.example", "ana@münchen.example"),
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("ana@例え。jp", "ana@例え.jp"),
        ("jose\u0301@example.com", "JOSÉ@example.com"),
        ("o'hara+x@Example.COM", "O'Hara+X@example.com"),
    ],
)
def test_two_spellings_of_an_address_are_one(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@straße.example", "ana@strasse.example"),
        ("ana@münchen.example", "ana@munchen.example"),
        ("a@b@example.com", "a@b.example.com"),
    ],
)
def test_two_domains_are_two(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize("name", ["a@", "@", "a@b c", "a@-x-", "a@xn--", "a@..", "a@" + "x" * 70])
def test_what_is_no_domain_is_a_name_all_the_same(name: str) -> None:
    assert normal_form(name) == normal_form(name.upper()) == normal_form(normal_form(name))


def test_a_password_is_tried_in_its_normal_form_first() -> None:
    assert password_forms("Pa\u0302ss") == ["P\u00e2ss", "Pa\u0302ss"]
    assert password_forms("P\u00e2ss") == ["P\u00e2ss"]
    assert password_forms("plain") == ["plain"]
