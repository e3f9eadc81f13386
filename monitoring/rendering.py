"""Configuration for one stack, made from the files beside this one.

Invariant: what is rendered differs from the files in addresses and in time alone. In a hurry a
minute lasts a second: every duration of the rules is divided by 60, so that a test sees an alert
fire within seconds, by the same expressions and on real figures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any, cast

import yaml

HERE = Path(__file__).resolve().parent
RULES = HERE / "prometheus" / "rules"
RUNBOOKS = "docs/runbooks/"

# Durations stand behind `for:` and the like, in the brackets of a range, or in a function as a
# product "minutes * 60".
_DURATION = re.compile(
    r"(?P<before>(?:\b(?:for|keep_firing_for|interval|group_wait|group_interval|repeat_interval):"
    r" +|\[))(?P<number>\d+)(?P<unit>[smhd])\b"
)
_PRODUCT = re.compile(r"(?<=\d) \* 60\b")
_DASHBOARD = re.compile(r"(dashboard_url: )(/d/\S+)")
_RUNBOOK = re.compile(rf"^(?P<indent> +)runbook_url: {RUNBOOKS}(?P<page>\S+)$", re.MULTILINE)
_FASTER = {"m": "s", "h": "m"}


def hurried(text: str) -> str:
    """Return rules or routes in which a minute lasts a second, and what is shorter as well.

    >>> hurried("for: 5m")
    'for: 5s'
    >>> hurried("rate(x[1h]) > 10 * 60")
    'rate(x[1m]) > 10'
    """

    def faster(match: re.Match[str]) -> str:
        number, unit = int(match["number"]), match["unit"]
        if unit == "s":
            number, unit = 1, "m"
        if unit == "d":
            number, unit = number * 24, "h"
        return f"{match['before']}{number}{_FASTER[unit]}"

    return _PRODUCT.sub("", _DURATION.sub(faster, text))


def rules(
    *, hurry: bool = False, runbooks: str = "", grafana: str = "", status_page: str = ""
) -> dict[str, str]:
    """Return the rule files by name.

    Args:
        runbooks: the address under which docs/runbooks/ can be read; empty leaves the path.
        grafana: Grafana's address; empty leaves the path.
        status_page: where alerts link to instead of a dashboard where there is no Grafana.

    Each alert carries what its runbook says to do: a mail has it also while no link opens.
    """

    def rendered(text: str) -> str:
        text = _RUNBOOK.sub(_with_remedy, text)
        if runbooks:
            text = text.replace(f": {RUNBOOKS}", f": {runbooks.rstrip('/')}/")
        if grafana:
            text = _DASHBOARD.sub(rf"\1{grafana.rstrip('/')}\2", text)
        elif status_page:
            text = _DASHBOARD.sub(rf"\1{status_page}", text)
        return hurried(text) if hurry else text

    return {path.name: rendered(path.read_text()) for path in sorted(RULES.glob("*.yml"))}


def _with_remedy(link: re.Match[str]) -> str:
    page = (HERE.parent / RUNBOOKS / link["page"]).read_text()
    remedy = page.partition("\n## Do\n")[2].partition("\n## ")[0].strip()
    return f"{link[0]}\n{link['indent']}remedy: {json.dumps(remedy)}"


def prometheus_yml(*, every: str) -> str:
    """Return prometheus.yml that scrapes and evaluates `every` so often, e.g. 5s."""
    read = _yaml((HERE / "prometheus/prometheus.yml").read_text())
    read["global"] |= {
        "scrape_interval": every,
        "scrape_timeout": every,
        "evaluation_interval": every,
    }
    return _dumped(read)


def alertmanager_yml(environ: Mapping[str, str], *, smarthost: str, hurry: bool = False) -> str:
    """Return alertmanager.yml for the receivers that the environment names.

    ALERT_SMARTHOST, ALERT_FROM, ALERT_TO (the person on call) and ALERT_TO_WORKING_HOURS say whom
    to mail and by which server; ALERT_WEBHOOK_URL is told of everything as well.
    """
    on_call = environ.get("ALERT_TO") or "on-call@shardmart.example"
    chosen = environ.get("ALERT_SMARTHOST")
    text = Template((HERE / "alertmanager/alertmanager.yml").read_text()).substitute(
        smarthost=chosen or smarthost,
        # A mail server elsewhere is spoken to over TLS; the local mail catcher knows none.
        require_tls="true" if chosen else "false",
        mail_from=environ.get("ALERT_FROM") or "alerts@shardmart.example",
        on_call=on_call,
        working_hours=environ.get("ALERT_TO_WORKING_HOURS") or on_call,
    )
    webhook = environ.get("ALERT_WEBHOOK_URL")
    if webhook:
        read = _yaml(text)
        for receiver in read["receivers"]:
            receiver["webhook_configs"] = [{"url": webhook, "send_resolved": True}]
        text = _dumped(read)
    return hurried(text) if hurry else text


def postgres_queries(*, citus: bool) -> str:
    """Return the queries that the exporter of a node adds to its own."""
    read = cast(
        dict[str, Any], yaml.safe_load((HERE / "postgres_exporter/queries.yml").read_text())
    )
    kept = {name: query for name, query in read.items() if citus or not name.startswith("citus")}
    return _dumped(kept)


def targets(entries: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """Return a file of targets, each an address and its labels."""
    listed = [{"targets": [address], "labels": dict(labels)} for address, labels in entries]
    return _dumped(listed)


def _yaml(text: str) -> dict[str, Any]:
    return cast(dict[str, Any], yaml.safe_load(text))


def _dumped(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False))
