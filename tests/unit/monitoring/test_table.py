"""What the handbook says of the metrics is what the code counts."""

import re
from pathlib import Path

from shop.monitoring.table import rows, with_table

PAGE = Path(__file__).resolve().parents[3] / "docs/monitoring.md"
# Not about amounts: a state, a moment, how many there are.
WITHOUT_UNIT = {"up", "info", "open", "running", "flight", "depth", "waiting", "unpublished"}
WITHOUT_UNIT |= {"letters", "products", "units", "connections", "transactions", "tenants"}
WITHOUT_UNIT |= {"shards", "share", "refunds"}


def test_the_table_is_as_the_code_has_it_now() -> None:
    text = PAGE.read_text()
    assert with_table(text) == text, "renew it: make schema"


def test_metrics_are_named_as_prometheus_wants_it() -> None:
    for row in rows():
        assert re.fullmatch(r"(shardmart|sharding)(_[a-z]+)+", row.name)
        assert row.help.endswith(".")
        last = row.name.rpartition("_")[2]
        if row.kind == "counter":
            assert last == "total", row.name
        else:
            assert last in {"seconds", "bytes"} | WITHOUT_UNIT, row.name


def test_no_label_is_of_a_kind_that_grows_without_end() -> None:
    bounded = {"route", "method", "status", "alias", "node", "role", "queue", "task", "outcome"}
    bounded |= {"view", "part", "reason", "scope", "collector", "payment_method", "redis"}
    for row in rows():
        assert set(row.labels) <= bounded, row.name
