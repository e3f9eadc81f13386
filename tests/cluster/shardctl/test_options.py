"""What all commands share: options before and after the name, JSON, consent, --show-sql."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sharding.cli import commands
from sharding.cli.main import main
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway


def test_options_are_taken_before_and_after_the_name(shardctl: Shardctl, citus: Throwaway) -> None:
    before = shardctl("--dsn", citus.dsn, "--format", "json", "shards")
    after = shardctl("shards", "--dsn", citus.dsn, "--format", "json")
    assert before.code == after.code == 0
    assert before.json == after.json


def test_show_sql_prints_statements_for_psql_and_leaves_json_alone(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    answer = shardctl("shards", "--show-sql", dsn=citus.dsn, format="json")
    assert len(answer.data) == 24
    assert f"-- {citus.coordinator.address}\n" in answer.err
    assert f"-- {citus.worker(1).address}\n" in answer.err
    assert "FROM pg_dist_shard" in answer.err
    assert "%s" not in answer.err


@pytest.mark.parametrize("name", commands.names())
def test_every_command_explains_itself(name: str, shardctl: Shardctl) -> None:
    answer = shardctl(name, "--help")
    assert answer.code == 0
    assert "--format" in answer.out
    assert "--show-sql" in answer.out
    assert max(len(line) for line in answer.out.splitlines()) <= 80


def test_the_help_lists_commands_and_exit_codes(shardctl: Shardctl) -> None:
    answer = shardctl("--help")
    assert answer.code == 0
    assert "Exit codes" in answer.out
    assert [name for name in commands.names() if f"  {name} " not in answer.out] == []


@pytest.mark.parametrize(
    "line",
    [
        ["nonsense"],
        ["status", "--nonsense"],
        ["shards", "no_such_table"],
        ["shards", "--node", "127.0.0.1:1"],
        ["where", "someone", "--table", "stock"],
        ["where", "1", "--table", "products"],
        ["skew", "--group", "products"],
        ["preflight", "--group", "no_such_table"],
        ["preflight", "--wal-headroom", "much"],
        ["plan", "--strategy", "by_magic"],
        ["plan", "--drain", "nowhere"],
        ["verify", "--table", "no_such_table"],
        ["verify", "--against", "/no/such/file"],
        ["verify", "--no-checksums", "--save", "sums.json"],
        ["lint", "--settings", "no.such.settings"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(
    line: list[str], shardctl: Shardctl, citus: Throwaway
) -> None:
    answer = shardctl(*line, dsn=citus.dsn)
    assert answer.code == 2
    assert answer.err
    assert "Traceback" not in answer.err
    in_json = shardctl(*line, dsn=citus.dsn, format="json")
    assert in_json.code == in_json.error["exit_code"] == 2


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Usage: shardctl" in capsys.readouterr().out


def test_reading_commands_change_nothing(shardctl: Shardctl, citus: Throwaway) -> None:
    """Their sessions are read-only: PostgreSQL itself refuses what they might do."""
    for line in (["status"], ["shards"], ["where", "1"], ["skew"], ["preflight"], ["plan"]):
        answer = shardctl(*line, "--show-sql", dsn=citus.dsn)
        assert answer.code == 0, line
    before = citus.sql("SELECT * FROM pg_dist_node ORDER BY 1")
    drain = shardctl("plan", "--drain", citus.worker(1).address, dsn=citus.dsn)
    assert drain.code == 0
    assert citus.sql("SELECT * FROM pg_dist_node ORDER BY 1") == before


@pytest.mark.parametrize(
    ("typed", "meant"), [("staus", "status"), ("rebalence", "rebalance"), ("addnode", "add-node")]
)
def test_a_command_that_is_misspelt_is_named_as_it_is_spelt(
    shardctl: Shardctl, typed: str, meant: str
) -> None:
    answer = shardctl(typed)
    assert answer.code == 2
    assert f"Did you mean {meant}" in answer.err
    assert "Did you mean" not in shardctl("nonsense").err


def test_it_tells_its_version(shardctl: Shardctl) -> None:
    answer = shardctl("--version")
    assert answer.code == 0
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert answer.out == f"shardctl, version {project['version']}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_given_what_it_completes_with(shardctl: Shardctl, shell: str) -> None:
    answer = shardctl("completion", shell)
    assert answer.code == 0
    assert f"_SHARDCTL_COMPLETE={shell}_complete" in answer.out


def test_commands_are_completed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sharding"],
        env={"_SHARDCTL_COMPLETE": "bash_complete", "COMP_WORDS": "shardctl st", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["plain,status", "plain,stop"]
