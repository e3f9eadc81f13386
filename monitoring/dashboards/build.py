"""What a dashboard is made of, and how Grafana wants to be told (schema version 39, Grafana 10.4).

Invariant: the id of a panel is chosen by hand and never used for another panel. Alerts link to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SCHEMA_VERSION = 39
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
JSON = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """An expression, and what its series are called in the legend."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel.

    Args:
        kind: timeseries, stat or bargauge.
        text: what it shows and what to make of it, behind the (i).
        red: the value from which on it is drawn red.
        links: title and address of where to look next; an address like `/d/shardmart-cluster`.
    """

    id: int
    title: str
    queries: Sequence[Query]
    unit: str = "short"
    text: str = ""
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    stacked: bool = False
    red: float | None = None
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A choice above the dashboard: the values of a label."""

    name: str
    label: str
    query: str


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One dashboard; panels flow from left to right in the order in which they stand."""

    uid: str
    title: str
    text: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = field(default=())


def rendered(dashboard: Dashboard) -> str:
    """Return the file that Grafana reads."""
    return json.dumps(as_json(dashboard), indent=2, ensure_ascii=False) + "\n"


def as_json(dashboard: Dashboard) -> JSON:
    """Return a dashboard in Grafana's terms."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.text,
        "tags": ["shardmart"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,  # one cross-hair for all panels
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "10s",
        "timezone": "",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "annotations": {"list": [_alerts()]},
        "links": [_siblings()],
        "templating": {"list": [_datasource(), *map(_variable, dashboard.variables)]},
        "panels": _laid_out(dashboard.panels),
    }


def _laid_out(panels: Sequence[Panel]) -> list[JSON]:
    x = y = row = 0
    placed = []
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, row = 0, y + row, 0
        position = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        placed.append(_panel(panel, position))
        x, row = x + panel.width, max(row, panel.height)
    return placed


def _panel(panel: Panel, position: JSON) -> JSON:
    return {
        "id": panel.id,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": DATASOURCE,
        "gridPos": position,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "range": panel.kind == "timeseries",
                "instant": panel.kind != "timeseries",
            }
            for number, query in enumerate(panel.queries)
        ],
        "links": [
            {"title": title, "url": f"{address}${{__url_time_range}}", "targetBlank": False}
            for title, address in ((t, a + ("&" if "?" in a else "?")) for t, a in panel.links)
        ],
    }


def _defaults(panel: Panel) -> JSON:
    steps: list[JSON] = [{"color": "green", "value": None}]
    if panel.red is not None:
        steps.append({"color": "red", "value": panel.red})
    defaults: JSON = {
        "unit": panel.unit,
        "min": 0,
        "color": {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [],
    }
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stacked else 8,
            "gradientMode": "none",
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if panel.red is not None else "off"},
        }
    return defaults


def _options(panel: Panel) -> JSON:
    if panel.kind == "timeseries":
        return {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    options: JSON = {
        "orientation": "horizontal" if panel.kind == "bargauge" else "auto",
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""},
    }
    if panel.kind == "bargauge":
        return options | {"displayMode": "basic", "showUnfilled": True}
    return options | {"colorMode": "value", "graphMode": "none", "textMode": "auto"}


def _datasource() -> JSON:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"selected": False, "text": "Prometheus", "value": "prometheus"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
    }


def _variable(variable: Variable) -> JSON:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": variable.query,
        "query": {"query": variable.query, "refId": "StandardVariableQuery"},
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "options": [],
        "refresh": 2,
        "regex": "",
        "skipUrlSync": False,
        "sort": 1,
    }


def _alerts() -> JSON:
    """Alerts that fire, as red marks in every panel."""
    return {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "expr": 'ALERTS{alertstate="firing"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{instance}} {{node}} {{queue}}",
        "step": "30s",
        "useValueForTime": False,
    }


def _siblings() -> JSON:
    return {
        "type": "dashboards",
        "title": "Shardmart",
        "tags": ["shardmart"],
        "asDropdown": True,
        "includeVars": False,
        "keepTime": True,
        "icon": "external link",
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }
