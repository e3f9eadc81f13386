"""shardctl drift: what one node has otherwise than the rest is named, with what each has."""

from __future__ import annotations

import pytest

from tests.cluster.shardctl.conftest import Shardctl
from tests.cluster.shardctl.provoking import QUIETLY, Provoke, on_worker, plain_role
from tests.throwaway import Throwaway

A_SHARD = (
    "DO $$ BEGIN EXECUTE (SELECT format({}, relname) FROM pg_class WHERE relkind = 'r'"
    " AND relname ~ '^stock_[0-9]+$' ORDER BY relname LIMIT 1); END $$"
)
SHOW = "SET citus.override_table_visibility TO off;"
RELOAD = ";;SELECT pg_reload_conf();;SELECT pg_sleep(0.2)"

DRIFTS: dict[str, tuple[str, Provoke]] = {
    "setting-differs": (
        "work_mem",
        on_worker(
            f"ALTER SYSTEM SET work_mem TO '64MB'{RELOAD}",
            f"ALTER SYSTEM RESET work_mem{RELOAD}",
        ),
    ),
    "role-setting-differs": (
        "statement_timeout",
        on_worker(
            f"{QUIETLY} ALTER ROLE postgres SET statement_timeout TO '1min'",
            f"{QUIETLY} ALTER ROLE postgres RESET statement_timeout",
        ),
    ),
    "role-differs": (
        "stranger",
        on_worker(f"{QUIETLY} CREATE ROLE stranger", f"{QUIETLY} DROP ROLE stranger"),
    ),
    "extension-differs": (
        "pg_trgm",
        on_worker(f"{QUIETLY} CREATE EXTENSION pg_trgm", f"{QUIETLY} DROP EXTENSION pg_trgm"),
    ),
    "grant-differs": (
        "orders",
        on_worker(
            f"{QUIETLY} GRANT SELECT ON orders TO plain",
            f"{QUIETLY} REVOKE SELECT ON orders FROM plain",
        ),
    ),
    "shard-grant-differs": (
        "stock_",
        on_worker(
            f"{SHOW}{QUIETLY}{A_SHARD.format(repr('GRANT SELECT ON %I TO plain'))}",
            f"{SHOW}{QUIETLY}{A_SHARD.format(repr('REVOKE SELECT ON %I FROM plain'))}",
        ),
    ),
}


def test_nodes_that_are_alike_have_no_findings(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("drift", dsn=citus.dsn, format="json")
    assert answer.data == {"findings": [], "silent": {}}
    assert answer.code == 0


@pytest.mark.parametrize("code", DRIFTS)
def test_what_one_node_has_otherwise_is_named(
    code: str, shardctl: Shardctl, citus: Throwaway
) -> None:
    name, provoke = DRIFTS[code]
    with plain_role(citus):
        with provoke(citus):
            answer = shardctl("drift", dsn=citus.dsn, format="json")
        assert answer.code == 1
        (found,) = answer.data["findings"]
        assert found["code"] == code
        assert name in found["message"]
        assert citus.worker(1).address in found["message"]
        assert shardctl("drift", dsn=citus.dsn).code == 0


def test_a_difference_that_is_meant_can_be_left_out(shardctl: Shardctl, citus: Throwaway) -> None:
    _, provoke = DRIFTS["setting-differs"]
    with provoke(citus):
        assert shardctl("drift", "--ignore", "work_mem", dsn=citus.dsn).code == 0
        assert shardctl("drift", "--ignore", "setting-differs", dsn=citus.dsn).code == 0
        assert shardctl("drift", "--ignore", "fsync", dsn=citus.dsn).code == 1


def test_a_rule_for_logins_that_cannot_be_read_or_asks_for_no_password_is_named(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    rules = citus.worker(1).data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"{before}\nhost all all 10.0.0.0/8 trust\nhost all all nonsense\n")
    try:
        found = shardctl("drift", dsn=citus.dsn, format="json").data["findings"]
    finally:
        rules.write_text(before)
    codes = {each["code"] for each in found}
    assert {"login-broken", "login-without-password", "login-differs"} <= codes
