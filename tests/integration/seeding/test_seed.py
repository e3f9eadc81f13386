from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.models import F, Sum

from shop.accounts import services as accounts
from shop.accounts.models import Identity, User
from shop.catalog import services as catalog
from shop.catalog.models import Category, Product
from shop.core.models import OutboxEvent
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import drift
from shop.orders.models import Order, OrderItem
from shop.payments.models import Payment
from shop.reviews.models import Review
from shop.seeding import loading, services
from shop.seeding.services import DEMO_PASSWORD
from shop.seeding.tables import TABLES

pytestmark = pytest.mark.django_db


def seed(**options: Any) -> str:
    out = StringIO()
    sizes = {"products": 60, "users": 25, "orders": 150}
    call_command("seed", stdout=out, stderr=StringIO(), **(sizes | options))
    return out.getvalue()


def counts() -> dict[str, int]:
    """Return the number of rows of each seeded table."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table.model._meta.db_table}")
            (found[table.model._meta.db_table],) = cursor.fetchone()
    return found


def test_it_makes_what_was_asked_for_and_reports_each_table() -> None:
    report = seed()
    found = counts()
    assert found["catalog_product"] == found["inventory_stock"] == 60
    assert found["accounts_user"] == 25
    assert found["accounts_identity"] == 50
    assert found["orders_order"] == found["payments_payment"] == found["core_outboxevent"] == 150
    assert all(found.values())
    for table, count in found.items():
        assert f"{table:<24}{count:>12,}" in report
    assert f"{sum(found.values()):,} rows in" in report
    assert "rows/s" in report


def test_the_ledger_the_shelf_and_the_published_figure_agree() -> None:
    seed()
    assert drift() == []
    published = dict(Product.objects.values_list("id", "stock_quantity"))
    assert dict(Stock.objects.cross_shard().values_list("product_id", "available")) == published
    reasons = (
        StockMovement.objects.cross_shard().filter(delta__gt=0).values_list("reason", "order_id")
    )
    assert {reason for reason, order in reasons if order is None} == {"receipt"}
    assert {reason for reason, order in reasons if order is not None} == {"cancellation"}


def test_an_order_costs_what_its_lines_cost_and_that_is_what_is_paid() -> None:
    seed()
    totals = dict(Order.objects.cross_shard().values_list("id", "total_amount"))
    lines = OrderItem.objects.cross_shard().values_list("order_id")
    assert dict(lines.annotate(sum=Sum(F("price") * F("quantity")))) == totals
    assert dict(Payment.objects.cross_shard().values_list("order_id", "amount")) == totals


def test_the_events_are_published_and_the_reviewers_have_bought() -> None:
    seed()
    assert not OutboxEvent.objects.cross_shard().filter(published_at=None).exists()
    bought = set(OrderItem.objects.cross_shard().values_list("user_id", "product_id"))
    reviews = list(Review.objects.cross_shard().values_list("user_id", "product_id"))
    assert reviews
    assert set(reviews) <= bought


def test_a_category_knows_its_ancestors() -> None:
    seed()
    found = {category.id: category for category in Category.objects.all()}
    for category in found.values():
        parent = found.get(category.parent_id or 0)
        assert category.ancestor_ids == ([*parent.ancestor_ids, parent.id] if parent else [])


def test_a_made_up_user_logs_in_by_name_and_by_address() -> None:
    seed()
    user = User.objects.cross_shard().first()
    assert user is not None
    for kind, name in (("username", user.username), ("email", user.email)):
        found, _ = accounts.login(kind=kind, name=name, password=DEMO_PASSWORD)
        assert found.id == user.id


def test_the_same_seed_a_second_time_is_refused_and_changes_nothing() -> None:
    seed()
    before = counts()
    with pytest.raises(CommandError, match="seeded with --seed 1 before"):
        seed(products=10, users=100, orders=5)
    assert counts() == before


def test_a_job_that_is_repeated_seeds_once_and_is_content_after() -> None:
    seed(once=True)
    before = counts()
    seed(once=True)
    assert counts() == before


def test_another_seed_adds_to_what_is_there() -> None:
    seed()
    before = counts()
    seed(seed=2)
    after = counts()
    assert after["orders_order"] == 2 * before["orders_order"]
    assert after["catalog_category"] == before["catalog_category"]
    assert drift() == []


def test_the_same_arguments_give_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[list[str]] = [[], []]

    def record(loader: loading.Loader, lines: Any) -> None:
        written[0] += [line for some in lines.values() for line in some]
        original(loader, lines)

    original = loading.Loader.copy
    monkeypatch.setattr(loading.Loader, "copy", record)
    seed()
    with connection.cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table.model._meta.db_table}")
    written.reverse()
    seed()
    assert written[0] == written[1]
    assert len(written[0]) > 1000


def test_names_that_somebody_has_already_are_left_to_them() -> None:
    seed(orders=0)
    users = list(User.objects.cross_shard().values_list("username", flat=True))
    slugs = list(Product.objects.values_list("slug", flat=True))
    with connection.cursor() as cursor:
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table.model._meta.db_table}")
    category = catalog.create_category(name="Home")
    theirs = catalog.create_product(name="Mine", slug=slugs[0], price=1, category=category)  # type: ignore[arg-type]
    accounts.register(username=users[0].upper(), email="ana@example.com", password="x")
    accounts.register(username="bo", email=f"{users[1]}@example.com", password="x")
    seed()
    assert Product.objects.get(slug=f"{slugs[0]}-s1").id > theirs.id
    assert Category.objects.filter(parent=None, name="Home").count() == 1
    assert Product.objects.filter(category__ancestor_ids__contains=[category.id]).exists()
    for name in users[:2]:
        assert Identity.objects.for_key(f"username:{name}-s1").exists()


def test_a_product_made_afterwards_gets_an_id_of_its_own() -> None:
    for model in (Category, Product):  # sequences, which tests before this one have moved on
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), "
                f"(SELECT COALESCE(max(id), 0) + 1 FROM {model._meta.db_table}), false)"
            )
    seed()
    category = catalog.create_category(name="Afterwards")
    product = catalog.create_product(name="Afterwards", price=1, category=category)  # type: ignore[arg-type]
    assert product.id > max(Product.objects.exclude(id=product.id).values_list("id", flat=True))


def test_a_failure_half_way_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(done: int) -> None:
        raise KeyboardInterrupt

    before = counts()
    plan = services.Plan(products=10, users=5, orders=5)
    with pytest.raises(KeyboardInterrupt):
        services.seed(plan, advance=interrupted)
    assert counts() == before


def test_ctrl_c_is_answered_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading.Loader, "copy", interrupted)
    with pytest.raises(CommandError, match="Nothing was changed"):
        seed()


def test_products_alone_can_be_seeded() -> None:
    seed(users=0, orders=0)
    found = {table: count for table, count in counts().items() if count}
    assert found["catalog_product"] == 60
    assert "accounts_user" not in found
    with pytest.raises(CommandError, match="before"):
        seed(users=0, orders=0)


def test_impossible_arguments_are_refused_in_a_sentence() -> None:
    with pytest.raises(CommandError, match="at least one user"):
        seed(users=0)
    tomorrow = datetime.now(UTC).date().replace(year=datetime.now(UTC).year + 1)
    with pytest.raises(CommandError, match="--until"):
        seed(until=tomorrow)


def test_verbosity_0_is_quiet() -> None:
    assert seed(verbosity=0) == ""


def test_production_gets_no_made_up_customers(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="a password that everybody knows"):
        seed(once=True)
    assert not any(counts().values())
