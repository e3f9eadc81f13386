"""Figures are right after a crash and while a node is away, or they are a dash with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import Throwaway


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """A cluster of 1,250 rows in shards, whose workers these tests kill."""
    with throwaway.cluster() as cluster:
        yield cluster


def test_rows_that_nobody_knows_after_a_crash_are_a_dash_with_the_reason(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.worker(1).kill()
    made.worker(1).start()
    data = shardctl("skew", dsn=made.dsn, format="json").data
    rows = {node["name"]: node["rows"] for node in data["nodes"]}
    assert rows[made.worker(1).address] is None
    assert data["uneven"]["rows"] is None
    assert data["uneven"]["bytes"] < 0.5
    page = shardctl("skew", dsn=made.dsn).out
    assert "never analyzed" in page
    assert "rows –" in page


def test_rows_are_right_after_a_crash_where_tables_were_analyzed(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.sql("ANALYZE")
    before = shardctl("skew", dsn=made.dsn, format="json").data
    for worker in made.workers:
        worker.kill()
        worker.start()
    after = shardctl("skew", dsn=made.dsn, format="json").data
    assert [node["rows"] for node in after["nodes"]] == [node["rows"] for node in before["nodes"]]
    assert sum(node["rows"] for node in after["nodes"]) == pytest.approx(1450, rel=0.02)


def test_a_node_that_is_away_does_not_make_the_others_uneven(
    made: Throwaway, shardctl: Shardctl
) -> None:
    made.sql("ANALYZE")
    made.worker(2).stop()
    try:
        answer = shardctl("skew", dsn=made.dsn, format="json")
        page = shardctl("skew", dsn=made.dsn).out
    finally:
        made.worker(2).start()
    assert answer.code == 1
    assert answer.data["uneven"] == {"bytes": 0.0, "rows": 0.0, "traffic": 0.0}
    rows = {node["name"]: node["rows"] for node in answer.data["nodes"]}
    assert rows[made.worker(2).address] is None
    line = next(line for line in page.splitlines() if made.worker(2).address in line)
    assert line.split()[1:] == ["–", "–", "–"]
