"""The lint of the monitoring finds what it promises to."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring import known, lint_dashboards, lint_rules, tools
from monitoring.dashboards import ALL, build
from monitoring.dashboards.build import Panel, Query
from monitoring.rendering import HERE

Change = Callable[[str, str, str], None]


def test_the_monitoring_of_this_repository_is_in_order() -> None:
    assert [*lint_rules.findings(), *lint_dashboards.findings()] == []


@pytest.fixture
def change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Change a copy of the monitoring that the lint then reads."""
    shutil.copytree(HERE / "prometheus", tmp_path / "prometheus")
    shutil.copytree(HERE / "alertmanager", tmp_path / "alertmanager")
    shutil.copytree(HERE.parent / "docs/runbooks", tmp_path / "runbooks")
    monkeypatch.setattr(lint_rules, "RULES", tmp_path / "prometheus/rules")
    monkeypatch.setattr(known, "RULES", tmp_path / "prometheus/rules")
    monkeypatch.setattr(lint_rules, "TESTS", tmp_path / "prometheus/tests")
    monkeypatch.setattr(lint_rules, "PAGES", tmp_path / "runbooks")
    monkeypatch.setattr(lint_rules, "ROUTING", tmp_path / "alertmanager/alertmanager.yml")

    def apply(name: str, old: str, new: str) -> None:
        path = tmp_path / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return apply


RULE = "prometheus/rules/cache.yml"
TEST = "prometheus/tests/cache.yml"
PAGE = "runbooks/RedisDown.md"


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        (RULE, "(redis_up)", "(redis_upp)", "asks for redis_upp, which nobody gives"),
        (
            RULE,
            "(shardmart_redis_breaker_open)",
            '(shardmart_redis_breaker_open{part="x"})',
            "{part}",
        ),
        (RULE, "severity: critical", "severity: loud", "RedisDown has no severity"),
        (RULE, ", area: cache", "", "RedisDown has no area"),
        (RULE, "summary:", "title:", "RedisDown has no summary"),
        (RULE, "runbooks/RedisDown.md", "runbooks/Redis.md", "does not link to docs/runbooks/"),
        (RULE, "/d/shardmart-cache?viewPanel=5", "/d/x?viewPanel=5", "a panel that is not there"),
        (RULE, "alert: RedisDown", "alert: RedisGone", "RedisGone has no page"),
        (TEST, "RedisDown fires: ", "RedisDown burns: ", "RedisDown has no test in which it fires"),
        (
            TEST,
            "RedisDown stays quiet: ",
            "RedisBreakerOpen stays quiet: ",
            "RedisDown has no test in which it stays quiet",
        ),
        (TEST, "RedisDown fires: ", "Redis fires: ", "a test speaks of Redis, which is no alert"),
        (PAGE, "# RedisDown", "# Redis", "does not begin with its name"),
        (PAGE, "In containers:", "Elsewhere:", "are not told “In containers:” as well"),
        (PAGE, "## Prevent", "## Else", "has no chapter “Prevent”"),
        (PAGE, "Redis does", "<b>Redis</b> does", "shows pages as templates"),
        ("runbooks/README.md", "(RedisDown.md)", "()", "README.md does not list RedisDown"),
        (
            "alertmanager/alertmanager.yml",
            "alertname = WorkerDown",
            "alertname = WorkersDown",
            "speaks of WorkersDown, which is no alert",
        ),
    ],
)
def test_a_rule_a_test_or_a_page_that_is_out_of_step_is_found(
    change: Change, file: str, old: str, new: str, finding: str
) -> None:
    change(file, old, new)
    assert any(finding in found for found in lint_rules.findings())


def test_a_page_without_an_alert_is_found(change: Change, tmp_path: Path) -> None:
    shutil.copy(tmp_path / PAGE, tmp_path / "runbooks/Nothing.md")
    assert "docs/runbooks/Nothing.md belongs to no alert" in list(lint_rules.findings())


@pytest.mark.parametrize(
    ("panel", "finding"),
    [
        ({"id": 2}, "two panels have the same id"),
        ({"queries": [Query("nobody_gives_this")]}, "asks for nobody_gives_this"),
        ({"queries": []}, "has no query"),
        ({"unit": "furlongs"}, "has an unknown unit"),
        ({"kind": "piechart"}, "is of an unknown type"),
        ({"links": [("Away", "/d/nowhere?viewPanel=1")]}, "links to nothing"),
    ],
)
def test_a_panel_that_would_show_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, panel: dict[str, object], finding: str
) -> None:
    first, *rest = ALL
    broken: Panel = replace(first.panels[0], **panel)  # type: ignore[arg-type]
    changed = replace(first, panels=[broken, *first.panels[1:]])
    monkeypatch.setattr(lint_dashboards, "ALL", (changed, *rest))
    found = list(lint_dashboards.findings())
    assert any("not as their code makes them" in line for line in found)
    assert any(finding in line for line in found)


def test_panels_never_overlap_whatever_their_widths_are() -> None:
    panels = [
        Panel(id=n, title="x", queries=[Query("up")], width=width, height=height)
        for n, (width, height) in enumerate([(12, 8), (8, 4), (8, 9), (24, 2), (4, 4), (4, 4)])
    ]
    made = build.as_json(replace(ALL[0], panels=panels))["panels"]
    assert list(lint_dashboards._grid(made)) == []


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_a_rule_that_no_longer_fires_fails_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(HERE / "prometheus", tmp_path / "prometheus")
    rules = tmp_path / "prometheus/rules/cache.yml"
    rules.write_text(rules.read_text().replace("(redis_up) == 0", "(redis_up) == 2"))
    monkeypatch.setattr(tools, "HERE", tmp_path)
    assert any("FAILED" in found for found in tools.findings_of_promtool())


def test_a_missing_tool_is_said_and_leaves_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools, "SEARCH_PATH", "/nowhere")
    assert list(tools.findings()) == []
    assert "promtool is not installed" in capsys.readouterr().out
