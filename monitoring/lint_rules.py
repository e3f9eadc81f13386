"""Checks of rules, their tests, runbooks and the routing of alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monitoring import known, promql
from monitoring.dashboards import ALL
from monitoring.rendering import HERE, RULES, RUNBOOKS

TESTS = HERE / "prometheus" / "tests"
PAGES = HERE.parent / RUNBOOKS
INDEX = "README.md"
ROUTING = HERE / "alertmanager" / "alertmanager.yml"
SEVERITIES = {"critical", "warning"}
ANNOTATIONS = {"summary", "description", "runbook_url", "dashboard_url"}

# Labels that Prometheus adds, and the one that histograms have.
ADDED = {"job", "instance", "le"}

# What the pages of the runbooks have in common.
BLOCK = re.compile(r"```console\n.*?```", re.DOTALL)
# A program, a file or a port of the stack of `make up`; containers have others.
OF_MAKE_UP = re.compile(
    r"\.run/|\.venv/|make status|redis-cli -p|psql -h 127.0.0.1 -p 5\d|\"\$DATABASE_"
)
CHAPTERS = ("## What it means", "## What users see", "## Look", "## Do", "## Prevent")

Rule = dict[str, Any]


@dataclass(frozen=True)
class RuleTest:
    """A unit test of a rule file: which alert, and whether it has to fire."""

    alert: str
    fires: bool
    has_input: bool
    expects: bool


def findings() -> Iterator[str]:
    """Yield what is wrong."""
    alerts = all_alerts()
    tests = list(all_tests())
    metrics = known.everything()
    labels = known.labels()
    for rule in all_rules():
        name = rule.get("alert") or rule["record"]
        for unknown in unknown_in(rule["expr"], metrics, labels):
            yield f"{name} asks for {unknown}, which nobody gives"
    for alert in alerts:
        yield from _about(alert)
        yield from _tested(alert["alert"], tests)
    names = {alert["alert"] for alert in alerts}
    for test in tests:
        if test.alert not in names:
            yield f"a test speaks of {test.alert}, which is no alert"
    yield from _pages(names)
    yield from _routing(names)


def unknown_in(
    expression: str, metrics: set[str], labels: Mapping[str, set[str] | None]
) -> list[str]:
    """Return the metrics of an expression that nobody gives, and labels that ours do not have."""
    wrong = promql.metrics(expression) - metrics
    for selector in promql.selectors(expression):
        name = selector.partition("{")[0]
        own = labels.get(name)
        if own is not None:
            asked = promql.matched(selector) - own - ADDED
            wrong |= {f"{name}{{{label}}}" for label in asked}
    return sorted(wrong)


def all_rules() -> list[Rule]:
    """Return the rules of all files."""
    return [
        rule
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def all_alerts() -> list[Rule]:
    """Return the rules that are alerts."""
    return [rule for rule in all_rules() if "alert" in rule]


def all_tests() -> Iterator[RuleTest]:
    """Yield the tests of rules. Their names say `<Alert> fires: …` or `<Alert> stays quiet: …`."""
    for path in sorted(TESTS.glob("*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            alert, _, rest = test["name"].partition(" ")
            checks = [
                check
                for check in test["promql_expr_test"]
                if f'alertname="{alert}"' in check["expr"]
            ]
            yield RuleTest(
                alert=alert,
                fires=rest.startswith("fires: "),
                has_input=bool(test["input_series"]) and bool(checks),
                expects=any(check["exp_samples"] for check in checks),
            )


def _about(alert: Rule) -> Iterator[str]:
    name = alert["alert"]
    labels, annotations = alert.get("labels", {}), alert.get("annotations", {})
    if labels.get("severity") not in SEVERITIES:
        yield f"{name} has no severity"
    if not labels.get("area"):
        yield f"{name} has no area"
    for missing in sorted(ANNOTATIONS - annotations.keys()):
        yield f"{name} has no {missing}"
    if annotations.get("runbook_url") != f"{RUNBOOKS}{name}.md":
        yield f"{name} does not link to {RUNBOOKS}{name}.md"
    if annotations.get("dashboard_url") not in _panels():
        yield f"{name} links to a panel that is not there: {annotations.get('dashboard_url')}"


def _panels() -> set[str]:
    return {
        f"/d/{dashboard.uid}?viewPanel={panel.id}"
        for dashboard in ALL
        for panel in dashboard.panels
    }


def _tested(alert: str, tests: Sequence[RuleTest]) -> Iterator[str]:
    mine = [test for test in tests if test.alert == alert and test.has_input]
    if not any(test.fires and test.expects for test in mine):
        yield f"{alert} has no test in which it fires"
    if not any(not test.fires and not test.expects for test in mine):
        yield f"{alert} has no test in which it stays quiet"


def _pages(alerts: set[str]) -> Iterator[str]:
    pages = {path.stem: path for path in PAGES.glob("*.md") if path.name != INDEX}
    for alert in sorted(alerts - pages.keys()):
        yield f"{alert} has no page {RUNBOOKS}{alert}.md"
    for page in sorted(pages.keys() - alerts):
        yield f"{RUNBOOKS}{page}.md belongs to no alert"
    for alert in sorted(alerts & pages.keys()):
        yield from _page(alert, pages[alert])
    index = (PAGES / INDEX).read_text() if (PAGES / INDEX).exists() else ""
    for alert in sorted(alerts):
        if f"({alert}.md)" not in index:
            yield f"{RUNBOOKS}{INDEX} does not list {alert}"


def _page(alert: str, path: Path) -> Iterator[str]:
    text = path.read_text()
    if not text.startswith(f"# {alert}\n"):
        yield f"{RUNBOOKS}{alert}.md does not begin with its name"
    if "<" in text or "{{" in text:
        yield f"{RUNBOOKS}{alert}.md has a “<” or “{{{{”: Prometheus shows pages as templates"
    # Whoever is woken has one of the two stacks before them.
    native = [block for block in BLOCK.findall(text) if OF_MAKE_UP.search(block)]
    if len(native) != text.count("\nIn containers:\n\n```console\n"):
        yield f"{RUNBOOKS}{alert}.md has commands that are not told “In containers:” as well"
    for chapter in CHAPTERS:
        if f"\n{chapter}\n" not in text:
            yield f"{RUNBOOKS}{alert}.md has no chapter “{chapter.removeprefix('## ')}”"


def _routing(alerts: set[str]) -> Iterator[str]:
    """Yield alerts that the routing names and that do not exist."""
    for matcher in re.findall(r"alertname =~? \"?([\w|]+)", ROUTING.read_text()):
        for name in matcher.split("|"):
            if name not in alerts:
                yield f"alertmanager.yml speaks of {name}, which is no alert"
