"""The settings, docs/configuration.md and the meanings are of the same variables."""

import os
import re
import subprocess
import sys
from pathlib import Path

from shop.config.meanings import BY_THE_STACK, CHOSEN
from shop.config.settings import env
from shop.config.table import with_tables

ROOT = Path(__file__).resolve().parents[3]
# Of a process alone: where it listens, and how it shows that it lives.
OF_A_PROCESS = {"APP_BIND", "HEARTBEAT_FILE", "METRICS_BIND", "PROMETHEUS_MULTIPROC_DIR"}
OF_THE_READER = {"SHARDMART_ENV_FILE", "DJANGO_SETTINGS_MODULE"}
DIRECTLY = re.compile(r"""os\.environ(?:\.get\(|\.setdefault\(|\[)?\s*"([A-Z_]+)\"""")


def test_every_variable_that_is_read_has_a_meaning_and_no_other() -> None:
    assert env.read.keys() == CHOSEN.keys() | BY_THE_STACK.keys()


def test_the_tables_are_those_that_the_code_makes() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    assert page == with_tables(page, env.read), "renew it: make schema"


def test_nothing_is_read_past_the_reader() -> None:
    """A variable that the settings do not know would reach no stack and stand in no document."""
    found = {
        name
        for path in (ROOT / "src/shop").rglob("*.py")
        for name in DIRECTLY.findall(path.read_text())
    }
    assert found <= OF_A_PROCESS | OF_THE_READER
    settings = (ROOT / "src/shop/config/settings.py").read_text()
    assert not re.findall(r"env\.(?:str|int|float|bool|list)\(", settings)


def settings_of(**environ: str) -> str:
    """Return what a process with this environment throttles."""
    done = subprocess.run(
        [sys.executable, "-c", "from shop.config.settings import THROTTLE_RATES as t; print(t)"],
        cwd=ROOT / "src",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_production_throttles_as_the_public_needs_it_unless_told_otherwise() -> None:
    from tests.unit.config.test_production import SAFE

    offline = {"SHARDMART_ENV_FILE": str(ROOT / "tests/offline.env")}
    assert "'anonymous': '60000/min', 'user': '6000/min'" in settings_of(**offline)
    assert "'anonymous': '600/min', 'user': '600/min'" in settings_of(**offline, **SAFE)
    wide = settings_of(**offline, **SAFE, THROTTLE_USER="off")
    assert "'anonymous': '600/min', 'user': 'off'" in wide
