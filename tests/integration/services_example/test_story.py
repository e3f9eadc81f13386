"""The story of the worked example runs, and its books would find what is wrong."""

import pytest

from docs.examples.services import __main__ as command
from docs.examples.services import measure
from docs.examples.services.stack import stack
from docs.examples.services.story import MONEY, Story
from shop.config.settings import REDIS_URL, env
from tests.integration.services_example.shop import Shop


def test_a_bad_week_ends_with_books_that_agree() -> None:
    said: list[str] = []
    with stack(env.str("DATABASE_ADMIN_URL"), REDIS_URL) as made:
        assert Story(made, said.append).tell() == []
        spent = made.orders.database.rows("SELECT sum(balance) AS left FROM customer")
        assert spent[0]["left"] == MONEY - 40 - 425
        on_shelf = made.products.database.rows("SELECT available FROM product ORDER BY id")
        assert [row["available"] for row in on_shelf] == [7, 4]
    assert sum("killed" in line.lower() for line in said) == 3


def test_what_the_cut_costs_is_measured_as_a_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "ROUNDS", 1)
    monkeypatch.setattr(measure, "CALLS", 2)
    with stack(env.str("DATABASE_ADMIN_URL"), REDIS_URL) as made:
        _, _, *rows = measure.table(made)
        orders = made.orders.database.rows("SELECT status FROM purchase")
    ratios = [float(row.split("|")[-2]) for row in rows]
    assert ratios[0] == ratios[2] == 1
    assert all(ratio > 0 for ratio in ratios)
    assert [row["status"] for row in orders] == ["confirmed"] * 8


@pytest.mark.parametrize(
    ("service", "tampering"),
    [
        ("products", "UPDATE product SET available = available + 1"),
        ("products", "UPDATE product SET sold = sold + 1"),
        ("products", "UPDATE product SET price = price + 1"),
        ("products", "UPDATE reservation SET status = 'held'"),
        ("products", "DELETE FROM reservation"),
        ("orders", "UPDATE purchase SET status = 'paid'"),
        ("orders", "UPDATE customer SET balance = balance + 1"),
        ("orders", "UPDATE line SET quantity = quantity + 1"),
        ("orders", "INSERT INTO dead_letter VALUES ('1-0', '', '')"),
    ],
)
def test_the_books_find_what_does_not_agree(shop: Shop, service: str, tampering: str) -> None:
    shop.place(2)
    shop.hear()
    assert shop.wrong() == []
    getattr(shop.stack, service).database.run(tampering)
    assert shop.wrong()


@pytest.mark.parametrize(("wrong", "status"), [([], 0), (["the stock"], 1)])
def test_the_command_ends_as_the_books_say(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: list[str],
    status: int,
) -> None:
    monkeypatch.setattr(Story, "tell", lambda _: wrong)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command.main([]) == status
    assert ("WRONG: the stock" in capsys.readouterr().out) == bool(wrong)


def test_the_command_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert command.main([]) == 2
    assert "make up" in capsys.readouterr().err
