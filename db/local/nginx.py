"""nginx in HAProxy's place: haproxy/nginx.conf, filled in.

`python -m db.local.nginx` prints it for the stack of STACK; any of DEFAULTS may be chosen in the
environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from string import Template

from db.local import layout as layouts
from db.local import settings as choices
from db.local.configuration import HAPROXY

# As wide as HAProxy's; MOST_AT_ONCE is what two app servers work on, with the queue.
DEFAULTS = {
    "HTTP_BIND": "127.0.0.1:8081",
    "STATS_BIND": "127.0.0.1:8405",
    "APP1": "127.0.0.1:8001",
    "APP2": "127.0.0.1:8002",
    "RATE_PER_SECOND": "100000",
    "RATE_BURST": "10000",
    "CONNECTION_LIMIT": "4000",
    "MOST_AT_ONCE": "576",
    "ERRORS": str(HAPROXY / "errors"),
}


def render(values: Mapping[str, str]) -> str:
    """Return nginx.conf with these values, and the defaults for the others."""
    known = DEFAULTS | {name: value for name, value in values.items() if name in DEFAULTS}
    return Template((HAPROXY / "nginx.conf").read_text()).safe_substitute(known)


def main() -> int:
    """Print nginx.conf for a stack, or with the defaults when there is none."""
    settings = choices.load(layouts.find(choices.stack_name(os.environ)).settings)
    first = settings.app_port if settings else 8001
    addresses = {"APP1": f"127.0.0.1:{first}", "APP2": f"127.0.0.1:{first + 1}"}
    sys.stdout.write(render(addresses | dict(os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
