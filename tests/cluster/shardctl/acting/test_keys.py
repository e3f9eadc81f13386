"""move, isolate and split mean by a key what `where` means by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.shardctl.acting.conftest import (
    assert_clean,
    other_worker,
    quick_cluster,
    server_of,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

SHARD = "SELECT get_shard_id_for_distribution_column('users', md5('user 7')::uuid)"
ANA = "User7@Example.com"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Orders with ids of their own, and payments with numbers, beside the usual tables."""
    with quick_cluster(workers=2) as cluster:
        cluster.sql(
            "CREATE TABLE payments (user_id uuid, id uuid, number text, PRIMARY KEY (user_id, id));"
            "CREATE TABLE receipts (user_id uuid, number text, PRIMARY KEY (user_id, number));"
        )
        for table in ("payments", "receipts"):
            cluster.sql(f"SELECT create_distributed_table('{table}', 'user_id')")
        cluster.sql("INSERT INTO payments VALUES (md5('user 7')::uuid, md5('payment')::uuid, 'x')")
        cluster.sql("INSERT INTO receipts VALUES (md5('user 7')::uuid, 'R-2026-7')")
        yield cluster


@pytest.fixture(autouse=True)
def _prefixes(shardctl: Shardctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDCTL_TEXT_PREFIXES", "email:,username:")


def payment(made: Throwaway) -> str:
    return str(made.value("SELECT md5('payment')::uuid::text"))


def test_an_email_moves_the_group_of_its_user(made: Throwaway, shardctl: Shardctl) -> None:
    shard = made.value(SHARD)
    target = other_worker(made, shard)
    identities = made.sql(
        "SELECT shardid, nodeport FROM citus_shards WHERE table_name = 'identities'::regclass"
    )
    answer = shardctl("move", ANA, "--to", target.address, "--yes", dsn=made.dsn)
    assert answer.code == 0, answer.err
    assert server_of(made, shard) is target
    assert identities == made.sql(
        "SELECT shardid, nodeport FROM citus_shards WHERE table_name = 'identities'::regclass"
    )
    assert_clean(made)


def test_an_email_isolates_its_user(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("isolate", ANA, "--yes", dsn=made.dsn, format="json")
    assert answer.code == 0, answer.err
    assert answer.data["isolated"] == made.value(SHARD)
    assert_clean(made)


@pytest.mark.parametrize("number", ["payment", "R-2026-7"])
def test_the_number_of_a_payment_or_a_receipt_means_its_user(
    made: Throwaway, shardctl: Shardctl, number: str
) -> None:
    typed = payment(made) if number == "payment" else number
    (place,) = shardctl("where", typed, dsn=made.dsn, format="json").data
    assert place["key"] == made.value("SELECT md5('user 7')::uuid::text")
    assert place["followed_from"] in {f"payments.id {typed}", f"receipts.number {typed}"}
    shard = made.value(SHARD)
    target = other_worker(made, shard)
    answer = shardctl("move", typed, "--to", target.address, "--yes", dsn=made.dsn)
    assert answer.code == 0, answer.err
    assert server_of(made, shard) is target
    assert_clean(made)


@pytest.mark.parametrize("command", ["move", "isolate", "split"])
@pytest.mark.parametrize("key", ["no-such-user-xyz", "catalog"])
def test_a_key_that_no_row_has_is_refused(
    made: Throwaway, shardctl: Shardctl, command: str, key: str
) -> None:
    to = ["--to", made.worker(1).address] if command == "move" else []
    answer = shardctl(command, key, *to, "--yes", dsn=made.dsn, format="json")
    assert (answer.code, answer.error["code"]) == (2, "invalid_input")
    assert f"No row has the key {key}" in answer.error["message"]


def test_a_key_that_no_row_has_is_split_by_force(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("split", "no-such-user-xyz", "--yes", "--force", dsn=made.dsn)
    assert answer.code == 0, answer.err
    assert_clean(made)


def test_an_id_of_several_users_says_which_they_are(made: Throwaway, shardctl: Shardctl) -> None:
    made.sql("INSERT INTO payments VALUES (md5('user 8')::uuid, md5('payment')::uuid, 'x')")
    try:
        answer = shardctl("split", payment(made), "--yes", dsn=made.dsn)
    finally:
        made.sql("DELETE FROM payments WHERE user_id = md5('user 8')::uuid")
    assert answer.code == 2
    assert "may mean several" in answer.err
