"""Which metrics there are: ours from the code that counts them, the others' from a running stack.

    python -m monitoring.known http://127.0.0.1:9490

writes known_metrics.txt again: the names that HAProxy, PostgreSQL's, PgBouncer's and Redis's
exporters, Prometheus and Alertmanager give. Do it after an upgrade of one of them.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from monitoring.rendering import HERE, RULES

ROOT = HERE.parent
LIST = HERE / "known_metrics.txt"
OTHERS = re.compile(r"(haproxy|pg|citus|pgbouncer|redis|prometheus|alertmanager)_")
OURS = re.compile(r"(shardmart|sharding)_")
# prometheus_client's classes and what is made from them; Figure is the exporter's gauge.
DECLARING = re.compile(r"\w*(Counter|Gauge|Histogram|Summary|Figure)")
PROMETHEUS_OWN = {"up", "ALERTS"}


def everything() -> set[str]:
    """Return every name that an expression may use."""
    return ours() | others() | recorded() | PROMETHEUS_OWN


def ours() -> set[str]:
    """Return the names that the application and the sharding library give, as exposed."""
    return set(labels())


def labels() -> dict[str, set[str] | None]:
    """Return the labels of each of our metrics; None where the code does not spell them out."""
    return {
        name: found
        for room in ("src", "sharding")
        for path in (ROOT / room).rglob("*.py")
        for name, found in _declared(path)
    }


def others() -> set[str]:
    """Return the names that other people's programs give."""
    lines = LIST.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def recorded() -> set[str]:
    """Return what the recording rules compute."""
    return {
        rule["record"]
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "record" in rule
    }


def _declared(path: Path) -> Iterator[tuple[str, set[str] | None]]:
    text = path.read_text()
    if not OURS.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        kind, name = DECLARING.fullmatch(_callee(node)), node.args[0]
        if kind and isinstance(name, ast.Constant) and OURS.match(str(name.value)):
            found = _labels(node)
            yield from ((exposed, found) for exposed in _exposed(kind[1], str(name.value)))


def _callee(call: ast.Call) -> str:
    function: Any = call.func
    return str(getattr(function, "id", getattr(function, "attr", "")))


def _labels(call: ast.Call) -> set[str] | None:
    given = call.args[2:3] or [word.value for word in call.keywords if word.arg == "labelnames"]
    if not given:
        return set()
    if isinstance(given[0], ast.List | ast.Tuple):
        return {str(getattr(label, "value", "")) for label in given[0].elts}
    return None


def _exposed(kind: str, name: str) -> Iterator[str]:
    if kind == "Counter":
        yield name if name.endswith("_total") else f"{name}_total"
    elif kind in {"Histogram", "Summary"}:
        yield from (f"{name}_{part}" for part in ("bucket", "count", "sum"))
    else:
        yield name


def main() -> None:
    """Renew the list from the Prometheus at the given address."""
    address = f"{sys.argv[1].rstrip('/')}/api/v1/label/__name__/values"
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - typed by a person
        names = json.load(answer)["data"]
    kept = sorted(name for name in names if OTHERS.match(name))
    head = "# Written by `python -m monitoring.known`: what other people's programs give.\n"
    LIST.write_text(head + "\n".join(kept) + "\n")


if __name__ == "__main__":
    main()
