"""What stands in local.env: variables of `make`, and settings of the application.

Invariant: each of its names is known, and each value can be used, before anything is touched.
The file of another stack is called after it; the tests' stack has none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from db.local import edge
from db.local import settings as choices
from db.local.configuration import GATEWAY_BEHAVIOUR
from db.local.errors import InvalidVariable
from db.remote.host import env_file

CHECKOUT = Path(__file__).resolve().parents[2]
# What else `make up` reads, beside what has bounds.
WORDS = {
    *("BALANCE", "LOG_REQUESTS", "TLS_CERTIFICATE", "BROKER_URL", "CITUS", "MONITORING"),
    *("ALERT_SMARTHOST", "ALERT_FROM", "ALERT_TO", "ALERT_TO_WORKING_HOURS", "ALERT_WEBHOOK_URL"),
    *("RUNBOOKS_URL", "GRAFANA_URL"),
}
OF_MAKE = WORDS | GATEWAY_BEHAVIOUR | {v.name for v in (*choices.VARIABLES, *edge.NUMBERS)}


def take(
    environ: MutableMapping[str, str], stack: str, *, checkout: Path = CHECKOUT
) -> dict[str, str]:
    """Return the settings of the application that the file names.

    Its variables of make are put into `environ`, unless they stand there: the command line wins.

    Raises:
        InvalidVariable: a name that nobody reads, one that the stack sets, or a value of no use.
    """
    path = checkout / f"{stack}.env"
    if stack == choices.TEST_STACK or not path.is_file():
        return {}
    values = env_file.read(path)
    application = {name: value for name, value in values.items() if name not in OF_MAKE}
    _check(path.name, application)
    for name in values.keys() & OF_MAKE:
        environ.setdefault(name, values[name])
    return application


def _check(file: str, application: Mapping[str, str]) -> None:
    known = ask_settings(application)
    if taken := application.keys() & set(known["by the stack"]):
        raise InvalidVariable(
            f"{file}: {', '.join(sorted(taken))} cannot be chosen: the stack sets that itself."
        )
    if complaint := env_file.check_names(application, OF_MAKE.union(known["chosen"])):
        raise InvalidVariable(f"{file}: {complaint}")


def ask_settings(application: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names that the application's settings read, when they can be made of these values.

    Raises:
        InvalidVariable: they cannot; the text is the settings' own.
    """
    # What production refuses depends on the stack's secrets as well: its processes say that.
    values = {name: value for name, value in application.items() if name != "ENVIRONMENT"}
    offline = {"SHARDMART_ENV_FILE": str(CHECKOUT / "tests/offline.env"), "PYTHONPATH": "src:."}
    done = subprocess.run(
        [sys.executable, "-m", "shop.config.check"],
        cwd=CHECKOUT,
        env=values | offline,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InvalidVariable(done.stderr.strip().splitlines()[-1])
    names: dict[str, list[str]] = json.loads(done.stdout)
    return names
