"""What a review says of its author is true when it is written, and stays as it was."""

import pytest
from django.db import IntegrityError, transaction

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.errors import AccountClosed, NotFound
from shop.reviews import services
from shop.reviews.errors import AlreadyReviewed
from shop.reviews.models import Review
from shop.reviews.selectors import Rating, rating_of, review_of
from tests.conftest import MakeProduct
from tests.integration.core.concurrency import beside
from tests.integration.reviews.conftest import Buy

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "verified"),
    [
        ("pending", False),
        ("paid", True),
        ("shipped", True),
        ("delivered", True),
        ("cancelled", False),
        ("refunded", False),
    ],
)
def test_a_purchase_is_verified_by_an_order_that_was_paid(
    ana: User, buy: Buy, make_product: MakeProduct, status: str, verified: bool
) -> None:
    product = make_product(stock=1)
    buy(ana, product, status)
    review = services.write_review(user_id=ana.id, product_id=product.id, rating=5)
    assert review_of(product.id, review.id).verified_purchase is verified


def test_neither_another_product_nor_another_buyer_verifies_a_purchase(
    ana: User, bo: User, buy: Buy, make_product: MakeProduct
) -> None:
    bought, other = make_product("a", stock=2), make_product("b", stock=2)
    buy(ana, bought, "paid")
    buy(bo, other, "paid")
    reviews = [
        services.write_review(user_id=user.id, product_id=product.id, rating=1)
        for user, product in ((ana, other), (bo, bought))
    ]
    assert [review.verified_purchase for review in reviews] == [False, False]


def test_what_becomes_of_the_order_later_changes_no_review(
    ana: User, buy: Buy, make_product: MakeProduct
) -> None:
    product = make_product(stock=1)
    order = buy(ana, product, "paid")
    review = services.write_review(user_id=ana.id, product_id=product.id, rating=5)
    type(order).objects.for_user(ana.id).update(order_status="refunded")
    services.change_review(review, {"rating": 1})
    assert review_of(product.id, review.id).verified_purchase is True


def test_an_author_is_shown_by_first_name_or_as_a_customer(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    product = make_product()
    User.objects.for_user(ana.id).update(first_name="Ana")
    names = [
        services.write_review(user_id=user.id, product_id=product.id, rating=5).author_name
        for user in (ana, bo)
    ]
    assert names == ["Ana", "A customer"]


@pytest.mark.django_db(transaction=True)
def test_of_two_reviews_at_once_one_is_written(ana: User, make_product: MakeProduct) -> None:
    product = make_product()

    def write() -> Review:
        return services.write_review(user_id=ana.id, product_id=product.id, rating=5)

    with beside(*[write] * 4) as done:
        pass
    outcomes = [type(one.exception()) for one in done]
    assert sorted(outcomes, key=str) == sorted([type(None), *[AlreadyReviewed] * 3], key=str)
    assert Review.objects.for_product(product.id).count() == 1


def test_a_user_who_is_gone_reviews_nothing(ana: User, make_product: MakeProduct) -> None:
    product = make_product()
    with pytest.raises(AccountClosed):
        services.write_review(user_id=new_id(), product_id=product.id, rating=5)
    User.objects.for_user(ana.id).update(is_active=False)
    with pytest.raises(AccountClosed):
        services.write_review(user_id=ana.id, product_id=product.id, rating=5)


def test_a_product_that_does_not_exist_cannot_be_reviewed(ana: User) -> None:
    with pytest.raises(NotFound):
        services.write_review(user_id=ana.id, product_id=999_999, rating=5)


def test_a_review_that_is_gone_cannot_be_changed(ana: User, make_product: MakeProduct) -> None:
    review = services.write_review(user_id=ana.id, product_id=make_product().id, rating=5)
    services.remove_review(review)
    services.remove_review(review)
    with pytest.raises(NotFound):
        services.change_review(review, {"rating": 1})


@pytest.mark.parametrize("rating", [0, 6])
def test_the_database_refuses_other_ratings(
    ana: User, make_product: MakeProduct, rating: int
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(
            product=make_product(), user_id=ana.id, author_name="Ana", rating=rating
        )


@pytest.mark.parametrize(
    ("stars", "average"),
    [([], None), ([5], "5.00"), ([5, 4], "4.50"), ([5, 4, 4], "4.33"), ([1, 5, 5], "3.67")],
)
def test_a_rating_is_the_average_of_the_stars(
    make_product: MakeProduct, stars: list[int], average: str | None
) -> None:
    product, other = make_product("a"), make_product("b")
    for rating in stars:
        for reviewed, given in ((product, rating), (other, 1)):
            Review.objects.create(
                product=reviewed, user_id=new_id(), author_name="Somebody", rating=given
            )
    rating = rating_of(product.id)
    assert (average and str(rating.average), rating.count) == (average, len(stars))
    assert isinstance(rating, Rating)
