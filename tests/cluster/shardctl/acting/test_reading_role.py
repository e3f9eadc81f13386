"""A role that may only read statistics sees plans and jobs, before and after somebody acted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.shardctl.acting.conftest import other_worker, quick_cluster, user_shard
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """A cluster with a role that monitors it, another that may do nothing, and one move made."""
    with quick_cluster(workers=2) as cluster:
        for role in ("monitor", "nobody"):
            cluster.sql(f"CREATE ROLE {role} LOGIN")
        cluster.sql("GRANT pg_monitor TO monitor")
        yield cluster


def dsn_of(made: Throwaway, role: str) -> str:
    return made.dsn.replace("postgres@", f"{role}@")


def act(made: Throwaway, shardctl: Shardctl) -> None:
    shard = user_shard(made)
    target = other_worker(made, shard).address
    assert shardctl("move", str(shard), "--to", target, "--yes", dsn=made.dsn).code == 0


def test_the_monitor_reads_the_journal_of_a_superuser(made: Throwaway, shardctl: Shardctl) -> None:
    act(made, shardctl)
    jobs = shardctl("jobs", dsn=dsn_of(made, "monitor"), format="json")
    plan = shardctl("plan", dsn=dsn_of(made, "monitor"), format="json")
    assert (jobs.code, plan.code) == (0, 0), jobs.out + plan.out
    assert jobs.data["runs"][0]["command"].startswith("move 10")
    assert jobs.data["missed"] == plan.data["speed"]["missed"] == ""


def test_a_run_that_there_is_not_is_said_so(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("jobs", "--run", "99", dsn=made.dsn, format="json")
    assert (answer.code, answer.error["code"]) == (2, "invalid_input")


def test_a_journal_of_an_earlier_version_is_opened_by_the_next_command(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.sql("REVOKE ALL ON SCHEMA shardctl FROM pg_monitor")
    closed = shardctl("jobs", dsn=dsn_of(made, "monitor"), format="json")
    act(made, shardctl)
    opened = shardctl("jobs", dsn=dsn_of(made, "monitor"), format="json")
    assert (closed.code, closed.data["runs"]) == (0, [])
    assert "GRANT pg_monitor" in closed.data["missed"]
    assert opened.data["runs"]


@pytest.mark.parametrize("command", ["jobs", "plan", "status", "shards", "skew"])
def test_a_role_without_rights_sees_what_it_may_and_is_told_what_is_missing(
    made: Throwaway, shardctl: Shardctl, command: str
) -> None:
    answer = shardctl(command, dsn=dsn_of(made, "nobody"), format="json")
    assert "error" not in answer.json, answer.json
    if command == "jobs":
        assert "GRANT pg_monitor" in answer.data["missed"]


def test_the_place_of_a_key_needs_no_right_to_its_rows(made: Throwaway, shardctl: Shardctl) -> None:
    answer = shardctl("where", "42", dsn=dsn_of(made, "monitor"))
    assert answer.code == 0, answer.err
    assert "on 127.0.0.1" in answer.out
    assert "may not read" in answer.out
