"""The word lists: what is written from them is COPY text, and has to fit its column."""

from shop.accounts.models import Identity, User
from shop.catalog.models import Category, Product
from shop.seeding.goods import CLOSINGS, DETAILS, KINDS, MAKERS, OPENINGS
from shop.seeding.people import (
    CANCEL_REASONS,
    CARRIERS,
    COMMENTS,
    FIRST_NAMES,
    LAST_NAMES,
)


def test_no_word_needs_escaping() -> None:
    words = [*MAKERS, *OPENINGS, *DETAILS, *CLOSINGS, *FIRST_NAMES, *LAST_NAMES]
    words += [*CARRIERS, *CANCEL_REASONS, *(text for some in COMMENTS.values() for text in some)]
    words += [
        word for kind in KINDS for word in (*kind.path, *kind.nouns, *kind.qualities, kind.use)
    ]
    assert [word for word in words if set(word) & set("\t\n\r\\")] == []
    assert [word for word in (*CARRIERS, *CANCEL_REASONS) if '"' in word] == []


def test_names_fit_their_columns() -> None:
    longest = max(
        len(f"{maker} {quality} {noun}")
        for maker in MAKERS
        for kind in KINDS
        for quality in kind.qualities
        for noun in kind.nouns
    )
    assert longest + 30 < (Product._meta.get_field("name").max_length or 0)
    assert all(
        len(name) <= (Category._meta.get_field("name").max_length or 0)
        for kind in KINDS
        for name in kind.path
    )
    username = max(map(len, FIRST_NAMES)) + max(map(len, LAST_NAMES)) + 30
    assert username < (User._meta.get_field("username").max_length or 0)


def test_a_persons_name_is_its_own_claimed_form_in_lower_case() -> None:
    for name in (*FIRST_NAMES, *LAST_NAMES):
        assert Identity.name_of("username", name) == f"username:{name.lower()}"


def test_the_tree_has_two_or_three_levels_and_no_leaf_twice() -> None:
    assert {len(kind.path) for kind in KINDS} == {2, 3}
    assert len({kind.path for kind in KINDS}) == len(KINDS)


def test_prices_are_ranges() -> None:
    assert all(0 < kind.low < kind.high for kind in KINDS)
