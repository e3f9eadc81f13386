"""shardctl advise: what traffic on any Citus database says should be changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

TAGGED = "/*route='POST /sell',request_id='1'*/"


def a_user(made: Throwaway) -> str:
    return str(made.value("SELECT md5('user 1')::uuid"))


@pytest.fixture(scope="module")
def counted() -> Iterator[Throwaway]:
    """A cluster that counts statements and keys."""
    settings = {
        "shared_preload_libraries": "'citus,pg_stat_statements'",
        "citus.stat_tenants_track": "'all'",
    }
    with throwaway.cluster(workers=2, settings=settings) as made:
        made.sql("CREATE EXTENSION pg_stat_statements")
        user = a_user(made)
        for server in made.servers:
            server.sql("SELECT pg_stat_statements_reset()")
        for _ in range(120):
            made.sql("SELECT total FROM orders WHERE user_id = %s", [user])
        made.sql("SELECT user_id FROM orders WHERE total > 5")
        made.sql("UPDATE stock SET available = available + 1")
        made.sql("UPDATE products SET name = 'Lamp' WHERE id = 1")
        made.sql(
            "SELECT o.id FROM orders o JOIN users u ON u.id = o.user_id WHERE u.id = %s", [user]
        )
        made.sql("WITH few AS (SELECT * FROM stock ORDER BY 1 LIMIT 3) SELECT count(*) FROM few")
        made.sql(f"INSERT INTO orders VALUES (%s, 777, 1, 'x') {TAGGED}", [user])
        made.sql(f"UPDATE stock SET available = available - 1 WHERE product_id = 1 {TAGGED}")
        yield made


@pytest.fixture
def advised(shardctl: Shardctl, counted: Throwaway) -> Any:
    answer = shardctl("advise", dsn=counted.dsn, format="json")
    assert answer.code == 0, answer.err
    return answer.data


def of(advised: Any, code: str) -> dict[str, Any]:
    return {each["subject"]: each for each in advised["advice"] if each["code"] == code}


def test_statements_without_the_shard_key_are_named_with_the_key_that_is_missing(
    advised: Any,
) -> None:
    found = of(advised, "fan-out")
    assert set(found) == {
        "SELECT user_id FROM orders WHERE total > $1",
        "UPDATE stock SET available = available + $1",
    }
    reads = found["SELECT user_id FROM orders WHERE total > $1"]
    assert reads["calls"] == 1
    assert "8 shards" in reads["message"]
    assert "orders.user_id" in reads["remedy"]
    writes = found["UPDATE stock SET available = available + $1"]
    assert "two phases" in writes["message"]


def test_a_query_whose_parts_are_gathered_first_is_named(advised: Any) -> None:
    (subject,) = of(advised, "intermediate-results")
    assert subject.startswith("WITH few AS")


def test_a_write_to_a_reference_table_is_named(advised: Any) -> None:
    assert set(of(advised, "reference-write")) == {"UPDATE products SET name = $1 WHERE id = $2"}


def test_a_transaction_over_two_groups_is_named_by_its_comment(advised: Any) -> None:
    (found,) = of(advised, "two-phase").values()
    assert found["subject"] == "POST /sell"
    assert "orders" in found["message"]
    assert "stock" in found["message"]


def test_a_key_that_makes_most_of_the_work_is_named(advised: Any, counted: Throwaway) -> None:
    user = a_user(counted)
    assert f"shardctl isolate {user}" in of(advised, "hot-key")[user]["remedy"]


def test_nothing_is_executed_by_being_judged(shardctl: Shardctl, counted: Throwaway) -> None:
    before = counted.sql("SELECT sum(available), count(*) FROM stock")
    assert shardctl("advise", dsn=counted.dsn).code == 0
    assert counted.sql("SELECT sum(available), count(*) FROM stock") == before


def test_strict_makes_advice_an_exit_code(shardctl: Shardctl, counted: Throwaway) -> None:
    assert shardctl("advise", "--strict", dsn=counted.dsn).code == 1


def test_what_cannot_be_planned_is_counted(shardctl: Shardctl, counted: Throwaway) -> None:
    before = shardctl("advise", dsn=counted.dsn, format="json").data["refused"]
    counted.sql("SELECT count(*) FROM stock WHERE now() - interval '1 day' < now()")
    assert shardctl("advise", dsn=counted.dsn, format="json").data["refused"] == before + 1


def test_without_pg_stat_statements_it_says_how_to_get_it(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    answer = shardctl("advise", dsn=citus.dsn, format="json")
    assert answer.code == 1
    assert "shared_preload_libraries" in answer.error["hint"]
