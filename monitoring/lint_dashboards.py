"""Checks of the dashboards: that Grafana can read them, and that they show what there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Any

from monitoring import known, lint_rules
from monitoring.dashboards import ALL, build
from monitoring.dashboards.__main__ import DIRECTORY

JSON = dict[str, Any]
Unknown = Callable[[str], list[str]]
KINDS = {"timeseries", "stat", "bargauge"}
UNITS = {"short", "s", "bytes", "percentunit", "reqps", "ops"}
# The fields that Grafana's own model asks of a dashboard and of a panel, and of what type.
DASHBOARD: dict[str, type | tuple[type, ...]] = {
    "uid": str,
    "title": str,
    "tags": list,
    "schemaVersion": int,
    "version": int,
    "editable": bool,
    "time": dict,
    "refresh": str,
    "timezone": str,
    "templating": dict,
    "annotations": dict,
    "panels": list,
    "links": list,
}
PANEL: dict[str, type | tuple[type, ...]] = {
    "id": int,
    "type": str,
    "title": str,
    "datasource": dict,
    "gridPos": dict,
    "fieldConfig": dict,
    "options": dict,
    "targets": list,
    "links": list,
}
LONGEST_UID = 40


def findings() -> Iterator[str]:
    """Yield what is wrong."""
    written = {path.name: path.read_text() for path in sorted(DIRECTORY.glob("*.json"))}
    made = {f"{dashboard.uid}.json": build.rendered(dashboard) for dashboard in ALL}
    if written != made:
        yield "the dashboards are not as their code makes them: python -m monitoring.dashboards"
    if len(made) != len(ALL):
        yield "two dashboards have the same uid"
    unknown_in = partial(lint_rules.unknown_in, metrics=known.everything(), labels=known.labels())
    links = {f"/d/{d.uid}?viewPanel={panel.id}" for d in ALL for panel in d.panels}
    for text in made.values():
        dashboard = json.loads(text)
        for finding in (
            *_shape(dashboard),
            *_grid(dashboard["panels"]),
            *(found for panel in dashboard["panels"] for found in _panel(panel, unknown_in, links)),
        ):
            yield f"{dashboard['uid']}: {finding}"


def _shape(dashboard: JSON) -> Iterator[str]:
    yield from _typed(dashboard, DASHBOARD)
    if dashboard["schemaVersion"] != build.SCHEMA_VERSION:
        yield "another schema version"
    if not 0 < len(dashboard["uid"]) <= LONGEST_UID:
        yield f"its uid is longer than {LONGEST_UID} characters"
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    if variables.get("datasource", {}).get("type") != "datasource":
        yield "the data source cannot be chosen"
    text = json.dumps(dashboard["panels"])
    for name in variables:
        if f"${name}" not in text and f"${{{name}}}" not in text:
            yield f"nothing depends on the variable {name}"


def _typed(value: JSON, fields: dict[str, type | tuple[type, ...]]) -> Iterator[str]:
    for name, kind in fields.items():
        if not isinstance(value.get(name), kind):
            yield f"{name} is missing or of another type"


def _grid(panels: list[JSON]) -> Iterator[str]:
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        yield "two panels have the same id"
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > build.COLUMNS or min(place["w"], place["h"]) < 1:
            yield f"panel {panel['id']} does not fit"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"panels {one['id']} and {other['id']} overlap"


def _overlap(one: JSON, other: JSON) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def _panel(panel: JSON, unknown_in: Unknown, links: set[str]) -> Iterator[str]:
    where = f"panel {panel.get('id')}"
    for finding in _typed(panel, PANEL):
        yield f"{where}: {finding}"
    if panel["type"] not in KINDS:
        yield f"{where} is of an unknown type"
    if panel["fieldConfig"]["defaults"]["unit"] not in UNITS:
        yield f"{where} has an unknown unit"
    letters = [target["refId"] for target in panel["targets"]]
    if not letters or len(set(letters)) != len(letters):
        yield f"{where} has no query, or two of the same letter"
    for unknown in [name for target in panel["targets"] for name in unknown_in(target["expr"])]:
        yield f"{where} asks for {unknown}, which nobody gives"
    for link in panel["links"]:
        address, _, rest = link["url"].partition("&")
        if address not in links or rest != "${__url_time_range}":
            yield f"{where} links to nothing: {link['url']}"
