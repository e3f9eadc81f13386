"""Figures as tables: of the load, and of the rounds of a long run."""

from pathlib import Path

import pytest

from tests import rounds
from tests.load import summary

HEAD = "Type,Name,Request Count,Failure Count,Requests/s,50%,95%,99%"
LINES = [
    HEAD,
    "POST,order,1200,3,19.97,45,120,1300",
    "GET,cart,90,0,1.5,N/A,8,9",
    ",Aggregated,1290,3,21.47,40,110,1200",
]


def test_a_line_for_each_kind_of_request_and_the_sum_last() -> None:
    assert summary.table(LINES).splitlines() == [
        "| request | requests | a second | median ms | p95 ms | p99 ms | failed |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| cart | 90 | 1.5 | – | 8 | 9 | 0 |",
        "| order | 1,200 | 20.0 | 45 | 120 | 1,300 | 3 |",
        "| **all** | 1,290 | 21.5 | 40 | 110 | 1,200 | 3 |",
    ]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "no column"),
        (["Type,Name,50%,95%,99%,Failure Count,Requests/s"], "no column 'Request Count'"),
        ([HEAD], "not one request"),
        ([HEAD, ",Aggregated,0,0,0.0,N/A,N/A,N/A"], "not one request"),
    ],
)
def test_a_load_that_was_none_has_no_figures(lines: list[str], complaint: str) -> None:
    with pytest.raises(summary.Unreadable, match=complaint):
        summary.table(lines)


def test_a_name_cannot_break_the_table() -> None:
    assert "| a\\|b | 1 |" in summary.table([HEAD, "GET,a|b,1,0,1,1,1,1"])


def test_a_file_that_is_not_there_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary.main([str(tmp_path / "none.csv")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("summary: ")
    assert len(told.err.splitlines()) == 1
    assert summary.main([]) == 2


JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">
<testsuite name="pytest" time="61.5">
<testcase classname="tests.chaos.test_a" name="test_one" time="1"/>
<testcase classname="tests.chaos.test_a" name="test_two" time="1">%s</testcase>
</testsuite></testsuites>"""


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    return tmp_path / "chaos-1.xml"


def test_a_green_round_is_a_line(junit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit.write_text(JUNIT % "")
    assert rounds.main([str(junit)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["| chaos-1 | 2 | 0 | 0 | 62 |"]


@pytest.mark.parametrize("how", ["failure", "error"])
def test_what_failed_is_named(how: str, junit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit.write_text(JUNIT % f'<{how} message="no"/>')
    assert rounds.main([str(junit)]) == 1
    out = capsys.readouterr().out
    assert "| chaos-1 | 2 | 0 | 1 | 62 |" in out
    assert "- chaos-1: `tests.chaos.test_a.test_two`" in out


def test_a_round_that_was_cut_off_or_skipped_altogether_is_not_green(
    junit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = junit.with_name("chaos-2.xml")
    junit.write_text(JUNIT[:200])
    assert rounds.main([str(junit), str(missing)]) == 1
    assert capsys.readouterr().out.count("did not end") == 2
    skipped = '<testcase classname="a" name="b"><skipped message="no Citus"/></testcase>'
    junit.write_text(f"<testsuites><testsuite time='0'>{skipped}</testsuite></testsuites>")
    assert rounds.main([str(junit)]) == 1
