"""Write the configuration for a deployment of one's own: `python -m monitoring DIRECTORY`.

`make up` does the same for its stack. The environment says what differs: SCRAPE_INTERVAL,
PUBLIC_URL, RUNBOOKS_URL, GRAFANA_URL, CITUS=on|off, and ALERT_… (monitoring.rendering).
MAIL_CATCHER is the mail server, without TLS, where ALERT_SMARTHOST names none. RELOAD lists the
addresses of a Prometheus and an Alertmanager that may run already, and then read it again. Who is
scraped is the deployment's to say, in DIRECTORY/prometheus/targets/*.yml.
"""

from __future__ import annotations

import os
import shutil
import sys
import urllib.request
from pathlib import Path

from monitoring import rendering


def main() -> int:
    """Write prometheus/, alertmanager/ and postgres-queries.yml."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    environ, directory = os.environ, Path(sys.argv[1])
    prometheus, alertmanager = directory / "prometheus", directory / "alertmanager"
    for made in (prometheus / "rules", prometheus / "targets", alertmanager):
        made.mkdir(parents=True, exist_ok=True)
    every = environ.get("SCRAPE_INTERVAL", "15s")
    (prometheus / "prometheus.yml").write_text(rendering.prometheus_yml(every=every))
    shop = environ.get("PUBLIC_URL", "").rstrip("/")
    rules = rendering.rules(
        runbooks=environ.get("RUNBOOKS_URL") or (f"{shop}/status/runbooks" if shop else ""),
        grafana=environ.get("GRAFANA_URL", ""),
        status_page=f"{shop}/status/" if shop else "",
    )
    for name, text in rules.items():
        (prometheus / "rules" / name).write_text(text)
    (alertmanager / "alertmanager.yml").write_text(
        rendering.alertmanager_yml(environ, smarthost=environ.get("MAIL_CATCHER", "localhost:25"))
    )
    templates = rendering.HERE / "alertmanager/templates"
    shutil.copytree(templates, alertmanager / "templates", dirs_exist_ok=True)
    queries = rendering.postgres_queries(citus=environ.get("CITUS") != "off")
    (directory / "postgres-queries.yml").write_text(queries)
    for address in environ.get("RELOAD", "").split():
        reload(address)
    return 0


def reload(address: str) -> None:
    """Have a Prometheus or an Alertmanager read its files again; one that is not there yet will."""
    request = urllib.request.Request(f"{address}/-/reload", method="POST")  # noqa: S310 - as given
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310
            print(f"{address} has read it again")
    except OSError as error:
        print(f"{address} was not told: {error}")


if __name__ == "__main__":
    sys.exit(main())
