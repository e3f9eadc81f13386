"""Every warning of preflight is provoked, on a cluster that has none before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from sharding.inspection import leftovers, preflight
from tests import throwaway
from tests.cluster.shardctl import troubles
from tests.cluster.shardctl.conftest import Answer, Shardctl
from tests.cluster.shardctl.troubles import Trouble
from tests.throwaway import Throwaway


@pytest.fixture(scope="module")
def troubled() -> Iterator[Throwaway]:
    """A cluster that these tests spoil and repair; Citus itself repairs nothing meanwhile."""
    with throwaway.cluster(workers=2, spare=1, settings=troubles.SETTINGS) as made:
        yield made


def found(answer: Answer) -> dict[str, dict[str, str]]:
    return {finding["code"]: finding for finding in answer.data["findings"]}


def test_a_healthy_cluster_has_no_findings(shardctl: Shardctl, troubled: Throwaway) -> None:
    answer = shardctl("preflight", dsn=troubled.dsn, format="json")
    assert answer.data == {"ready": True, "findings": []}


@pytest.mark.parametrize("trouble", troubles.ALL, ids=lambda trouble: trouble.code)
def test_it_is_found_and_gone_when_repaired(
    trouble: Trouble, shardctl: Shardctl, troubled: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "STALE", timedelta(0))
    provoked: AbstractContextManager[object] = trouble.provoke(troubled)
    with provoked:
        answer = shardctl("preflight", *trouble.options, dsn=trouble.dsn(troubled), format="json")
    finding = found(answer)[trouble.code]
    assert finding["severity"] == trouble.severity
    assert finding["message"]
    assert finding["remedy"]
    errors = [f for f in found(answer).values() if f["severity"] == "error"]
    assert answer.code == (1 if errors else 0)
    assert answer.data["ready"] == (not errors)
    after = shardctl("preflight", dsn=troubled.dsn, format="json")
    assert found(after) == {}


def test_no_code_is_forgotten_here() -> None:
    package = Path(preflight.__file__).parent
    sources = [*package.glob("*.py"), package.parent / "leftover_findings.py"]
    text = "".join(source.read_text() for source in sources)
    codes = set(re.findall(r"(?:error|warning|_finding)\(\s*\"([a-z-]+)\"", text))
    codes |= set(re.findall(r"\(\"([a-z-]+)\", \"max_", text)) | {"worker-processes"}
    codes |= {"idle-in-transaction", "long-transaction"}
    codes |= {f"stray-{kind.value}" for kind in leftovers.Kind if "slot" in kind or "sub" in kind}
    codes |= {"stray-publication"}
    assert codes - {trouble.code for trouble in troubles.ALL} == troubles.JUDGED_WITHOUT_A_CLUSTER


def test_findings_can_be_left_out_and_warnings_made_to_count(
    shardctl: Shardctl, troubled: Throwaway
) -> None:
    trouble = next(t for t in troubles.ALL if t.code == "takes-no-shards")
    with trouble.provoke(troubled):
        plain = shardctl("preflight", dsn=troubled.dsn)
        strict = shardctl("preflight", "--strict", dsn=troubled.dsn)
        ignored = shardctl(
            "preflight", "--strict", "--ignore", "takes-no-shards", "--ignore", "nowhere-to-move",
            dsn=troubled.dsn,
        )  # fmt: skip
    assert (plain.code, strict.code, ignored.code) == (0, 1, 0)
    assert "takes-no-shards" in plain.out
    assert "Shards can be moved: 2 warnings." in plain.out
    assert "Nothing stands in the way of a move." in ignored.out


def test_only_the_named_group_is_judged(shardctl: Shardctl, troubled: Throwaway) -> None:
    trouble = next(t for t in troubles.ALL if t.code == "replica-identity")
    with trouble.provoke(troubled):
        mine = shardctl("preflight", "--group", "orders", dsn=troubled.dsn, format="json")
        other = shardctl("preflight", "--group", "stock", dsn=troubled.dsn, format="json")
    assert list(found(mine)) == ["replica-identity"]
    assert found(other) == {}


def test_the_page_fits_a_terminal_of_80_columns(
    shardctl: Shardctl, troubled: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    trouble = next(t for t in troubles.ALL if t.code == "link-broken")
    with trouble.provoke(troubled):
        answer = shardctl("preflight", dsn=troubled.dsn)
    assert max(len(line.rstrip()) for line in answer.out.splitlines()) <= 80
    assert "Shards cannot be moved" in answer.out
