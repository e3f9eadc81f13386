"""docs/distributed_systems.md tells the truth: its programs find what it says, on a real cluster.

All share one throwaway cluster; each has a schema of its own in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from db.local import software
from docs.examples.consistency import __main__ as examples
from docs.examples.consistency.lab import ACCOUNTS, Lab, laboratory
from docs.examples.consistency.session import NotShown
from tests.live import ROOT
from tests.native import native

PAGE = ROOT / "docs/distributed_systems.md"
TRANSCRIPTS = re.compile(r"^## (\w+)\n.*?^```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
# A passage of a transcript, in the text: <!-- from: read_skew -->
PASSAGES = re.compile(r"<!-- from: (\w+) -->\n```text\n(.*?)\n```", re.DOTALL)

Show = Callable[[str], dict[str, object]]


@pytest.fixture(autouse=True, scope="session")
def _citus() -> None:
    """Stands in for the fixture of the same name that prepares Django's test database."""


@pytest.fixture(scope="module")
@native("starts a Citus cluster of its own")
def lab() -> Iterator[Lab]:
    with laboratory(aloud=False) as made:
        yield made


@pytest.fixture
def show(lab: Lab) -> Show:
    """Run an example, and see that the page still prints what it prints."""

    def run(name: str) -> dict[str, object]:
        facts = examples.run(lab, name)
        assert lab.transcript == written()[name], "make example-consistency ARGS=--write"
        return facts

    return run


def written() -> dict[str, list[str]]:
    """Return the transcripts that the page shows, by example."""
    return {
        name: text.splitlines() for name, text in TRANSCRIPTS.findall(examples.PAGE.read_text())
    }


def test_a_transaction_on_one_shard_is_seen_whole_or_not_at_all(show: Show) -> None:
    facts = show("one_shard")
    assert (facts["before"], facts["after"]) == (0, (1, 30))
    assert facts["repeated"] == facts["after"]
    assert facts["prepared"] == 0


@pytest.fixture(scope="module")
def two_phases(lab: Lab) -> dict[str, object]:
    facts = examples.run(lab, "two_phase_commit")
    assert lab.transcript == written()["two_phase_commit"], "make example-consistency ARGS=--write"
    return facts


def test_one_node_needs_no_second_phase(two_phases: dict[str, object]) -> None:
    assert two_phases["prepared for one node"] == 0


def test_what_was_decided_is_committed_in_the_end(two_phases: dict[str, object]) -> None:
    assert two_phases["prepared in between"] == (0, 1)
    assert (two_phases["recovered"], two_phases["decided"]) == (1, (70, 130))


def test_a_commit_may_succeed_before_its_own_session_can_read_it(
    two_phases: dict[str, object],
) -> None:
    assert (two_phases["told"], two_phases["own write"]) == ("", 100)


def test_what_is_in_between_holds_its_locks(two_phases: dict[str, object]) -> None:
    assert two_phases["blocked"] == "55P03"
    assert two_phases["total under a table lock"] == 230


def test_what_was_not_decided_is_rolled_back(two_phases: dict[str, object]) -> None:
    assert two_phases["refused"] == ("XX000", (70, 130))
    assert two_phases["left behind"] == (1, 0)
    assert (two_phases["rolled back"], two_phases["undecided"]) == (1, (70, 130))


def test_the_node_that_leads_reads_its_own_row_at_once_and_clears_up_alone(
    two_phases: dict[str, object],
) -> None:
    assert two_phases["own write at the leader"] == (100, 70)
    assert two_phases["recovered by coordinator and leader"] == (0, 1)
    assert two_phases["led by a worker"] == (100, 100)


def test_no_isolation_level_gives_a_snapshot_of_two_nodes(show: Show) -> None:
    facts = show("read_skew")
    assert facts["REPEATABLE READ"] == facts["SERIALIZABLE"] == 230
    assert facts["one statement"] == 230
    assert facts["locked"] == 200


def test_not_even_one_node_gives_one_snapshot_over_two_connections(show: Show) -> None:
    assert show("read_skew")["one node"] == [200, 230]


def test_serializable_is_a_promise_of_each_node(show: Show) -> None:
    facts = show("write_skew")
    assert facts["directly"] == ("40001", 1)
    assert facts["one node"] == ("XX000", 1)
    assert facts["two nodes"] == ("", 0)
    assert facts["guarded"] == ([1, 0], 1)


def test_a_guarded_update_sells_one_unit_once(show: Show) -> None:
    facts = show("lost_update")
    assert facts["written back"] == (2, 0)
    assert facts["repeatable read"] == (1, "40001")
    assert facts["guarded"] == (1, 0)
    assert facts["two products"] == [(1, 1), (2, 5)]


def test_a_deadlock_over_two_nodes_costs_one_transaction(show: Show) -> None:
    facts = show("deadlock")
    assert facts["crossed"] == ["40P01", ""]
    assert facts["in order"] == ["", ""]


def test_a_write_is_read_at_any_primary_and_later_at_a_replica(show: Show) -> None:
    facts = show("read_your_writes")
    assert facts["any node"] == 1
    assert facts["asynchronous"] == (1, 302)
    assert facts["use_secondary_nodes"] == (2, "XX000")
    assert facts["flushed"] == 3
    assert facts["applied"] == 5
    assert facts["waits for a dead replica"] is True


def test_a_reference_table_is_written_on_all_nodes_or_none(show: Show) -> None:
    facts = show("reference_tables")
    assert facts["usual"] == [11, 11, 11]
    assert facts["late"] == ([12, 12, 11], [12, 12, 12])
    assert (facts["refused"], facts["still"]) == ("08006", [12, 12])


def test_a_node_that_is_away_takes_along_what_lies_on_it(show: Show) -> None:
    facts = show("worker_away")
    assert facts["no worker 2"] == {
        "Bo reads": "",
        "Bo writes": "",
        "Ana reads": "08006",
        "Ana writes": "08006",
        "Bo pays Ana": "08006",
        "all accounts are counted": "08006",
        "the catalog is read": "",
        "the catalog is written": "08006",
        "a column is added": "08006",
    }
    without_coordinator = facts["no coordinator"]
    assert isinstance(without_coordinator, dict)
    failed = [what for what, code in without_coordinator.items() if code]
    assert failed == ["the catalog is written", "a column is added"]
    assert facts["hangs"] is True


def test_ids_do_not_tell_the_order_of_commits(show: Show) -> None:
    facts = show("ids_and_clocks")
    assert (facts["newer"], facts["due"]) == (0, [(1,)])
    assert facts["after a rollback"] == 4
    assert facts["at worker 1"] == (1 << 48) + 1


def test_the_page_shows_every_example_and_no_other() -> None:
    assert list(written()) == list(examples.EXAMPLES)


@pytest.mark.native("reads docs/, which no image has")
def test_the_text_quotes_the_transcripts_word_for_word() -> None:
    passages = PASSAGES.findall(PAGE.read_text())
    assert passages
    for name, passage in passages:
        assert passage in "\n".join(written()[name]), f"this is not what {name} prints:\n{passage}"


def test_an_example_leaves_nothing_behind(lab: Lab) -> None:
    def fail() -> None:
        with lab.scratch():
            lab.make(ACCOUNTS)
            lab.session("A")("BEGIN; UPDATE accounts SET balance = 1 WHERE owner = 'ana'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    for node in (lab.cluster.coordinator, *lab.cluster.workers):
        assert node.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'example'") == 0
        assert node.value("SELECT count(*) FROM pg_prepared_xacts") == 0


def test_a_verdict_that_does_not_hold_is_not_printed(lab: Lab) -> None:
    with lab.scratch(), pytest.raises(NotShown, match="not show that all is well"):
        lab.verdict(False, "All is well.")
    assert lab.transcript == []


def test_without_citus_there_is_one_sentence_and_exit_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(software, "installed", list)
    assert examples.main([]) == 3
    assert capsys.readouterr().err == f"{examples.NO_CITUS}\n"


@pytest.mark.parametrize("arguments", [["no_such"], ["--write", "deadlock"]])
def test_what_cannot_be_meant_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = examples.PAGE.read_text()
    assert examples.main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert examples.PAGE.read_text() == before
