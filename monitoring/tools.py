"""Checks by Prometheus's and Alertmanager's own tools, on what a stack is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from monitoring import rendering
from monitoring.rendering import HERE

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/bin"])
TOOLS = ("promtool", "amtool")


def findings() -> Iterator[str]:
    """Yield what the tools say is wrong; say it when one is not installed."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path=SEARCH_PATH) is None]
    for tool in missing:
        print(f"Monitoring: {tool} is not installed, its checks are left out (make install).")
    if "promtool" not in missing:
        yield from findings_of_promtool()
    if "amtool" not in missing:
        yield from _amtool()


def findings_of_promtool() -> Iterator[str]:
    """Yield what promtool says of the rules, their tests and the configuration."""
    tests = sorted(str(path) for path in (HERE / "prometheus/tests").glob("*.yml"))
    yield from _run(["promtool", "test", "rules", *tests])
    for hurry in (False, True):
        with tempfile.TemporaryDirectory() as directory:
            yield from _run(["promtool", "check", "config", str(_stack(Path(directory), hurry))])


def _stack(directory: Path, hurry: bool) -> Path:
    """Write what a stack's Prometheus reads; return the path of prometheus.yml."""
    conf = directory / "prometheus.yml"
    conf.write_text(rendering.prometheus_yml(every="1s" if hurry else "5s"))
    (directory / "rules").mkdir()
    (directory / "targets").mkdir()
    for name, text in rendering.rules(hurry=hurry).items():
        (directory / "rules" / name).write_text(text)
    for job in yaml.safe_load(conf.read_text())["scrape_configs"]:
        for files in job["file_sd_configs"]:
            for name in files["files"]:
                (directory / name).write_text(rendering.targets([("127.0.0.1:1", {})]))
    return conf


def _amtool() -> Iterator[str]:
    for environ in ({}, {"ALERT_WEBHOOK_URL": "http://127.0.0.1:1/"}):
        with tempfile.TemporaryDirectory() as directory:
            conf = Path(directory) / "alertmanager.yml"
            conf.write_text(rendering.alertmanager_yml(environ, smarthost="127.0.0.1:25"))
            shutil.copytree(HERE / "alertmanager/templates", Path(directory) / "templates")
            yield from _run(["amtool", "check-config", str(conf)])


def _run(command: Sequence[str]) -> Iterator[str]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": SEARCH_PATH},
    )
    if done.returncode:
        yield f"{' '.join(command[:3])} says:\n{(done.stdout + done.stderr).strip()}"
