"""shardctl where: computed as the application does, checked against the server."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from sharding.inspection import whereabouts
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway

ANA = "user7@example.com"


def places(shardctl: Shardctl, citus: Throwaway, *arguments: str) -> list[dict[str, Any]]:
    answer = shardctl("where", *arguments, dsn=citus.dsn, format="json")
    assert answer.code == 0
    found: list[dict[str, Any]] = answer.data
    return found


def test_every_user_is_found_on_the_shard_that_holds_the_row(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    users = [row.id for row in citus.sql("SELECT id FROM users ORDER BY id LIMIT 5")]
    for user in users:
        (place,) = places(shardctl, citus, str(user).upper())
        assert place["agrees"]
        rows = {shard["table"]: shard["rows"] for shard in place["shards"]}
        assert rows == {"users": 1, "orders": 5}


def test_a_product_is_found_by_its_number(shardctl: Shardctl, citus: Throwaway) -> None:
    (place,) = places(shardctl, citus, "12")
    server = citus.value("SELECT get_shard_id_for_distribution_column('stock', 12)")
    assert place["server_shard_id"] == server
    assert place["shards"][0]["shard_id"] == server
    assert place["shards"][0]["rows"] == 1


def test_a_negative_number_is_a_key_too(shardctl: Shardctl, citus: Throwaway) -> None:
    (place,) = places(shardctl, citus, "--", "-5")
    assert place["key"] == "-5"


def test_an_email_leads_to_its_user(
    shardctl: Shardctl, citus: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDCTL_TEXT_PREFIXES", "email:,username:")
    identity, user = places(shardctl, citus, ANA.upper())
    assert identity["key"] == f"email:{ANA}"
    assert user["followed_from"] == f"email:{ANA}"
    assert user["key"] == citus.value("SELECT md5('user 7')::uuid::text")
    assert {shard["table"] for shard in user["shards"]} == {"orders", "users"}


def test_a_text_is_found_as_it_is_stored_without_any_prefix(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    identity, _user = places(shardctl, citus, f"email:{ANA}")
    assert identity["shards"][0]["rows"] == 1


def test_a_key_without_rows_has_a_place_and_says_so(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("where", "nobody@example.com", dsn=citus.dsn)
    assert answer.code == 0
    assert "No row has this key yet" in answer.out


def test_the_psql_line_leads_to_the_rows(shardctl: Shardctl, citus: Throwaway) -> None:
    (place,) = places(shardctl, citus, "12")
    relation = place["shards"][0]["relation"]
    command = [*place["psql"].split(), "-Atc", f"SELECT count(*) FROM {relation}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(answer.stdout) > 0


def test_a_place_that_the_server_does_not_confirm_is_reported(
    shardctl: Shardctl, citus: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whereabouts, "ON_SERVER", "SELECT 1 -- %s %s {type}")
    answer = shardctl("where", "12", dsn=citus.dsn)
    assert answer.code == 1
    assert "do not trust the place above" in answer.out
