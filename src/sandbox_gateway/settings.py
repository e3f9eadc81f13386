"""How the sandbox behaves: from the environment, completed from the file GATEWAY_ENV_FILE.

GATEWAY_STATE             the SQLite file with every charge; made when missing
GATEWAY_KEY               the bearer token that callers need; nobody gets in without one
GATEWAY_WEBHOOK_URL       where events are sent; none: they are not
GATEWAY_WEBHOOK_SECRET    what they are signed with
GATEWAY_LATENCY_MS        how long an answer takes, e.g. 20-120
GATEWAY_HANG_SECONDS      how long `tok_timeout` keeps the caller waiting, once it has charged
GATEWAY_WEBHOOK_SPREAD_MS an event is sent after 0 to so many milliseconds: out of order
GATEWAY_DUPLICATES        the share of events sent twice, 0 to 1
GATEWAY_LOSSES            the share of events never sent, 0 to 1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The choices; the times are seconds."""

    state: Path
    key: str
    webhook_url: str = ""
    webhook_secret: str = ""
    latency: tuple[float, float] = (0.02, 0.12)
    hang: float = 12.0
    spread: float = 0.5
    duplicates: float = 0.1
    losses: float = 0.0


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings of this environment.

    Raises:
        KeyError: GATEWAY_STATE or GATEWAY_KEY is missing.
        ValueError: a number is none.
    """
    environ = {**_read(environ.get("GATEWAY_ENV_FILE", "")), **environ}
    shortest, _, longest = environ.get("GATEWAY_LATENCY_MS", "20-120").partition("-")
    return Settings(
        state=Path(environ["GATEWAY_STATE"]),
        key=environ["GATEWAY_KEY"],
        webhook_url=environ.get("GATEWAY_WEBHOOK_URL", ""),
        webhook_secret=environ.get("GATEWAY_WEBHOOK_SECRET", ""),
        latency=(float(shortest) / 1000, float(longest or shortest) / 1000),
        hang=float(environ.get("GATEWAY_HANG_SECONDS", "12")),
        spread=float(environ.get("GATEWAY_WEBHOOK_SPREAD_MS", "500")) / 1000,
        duplicates=float(environ.get("GATEWAY_DUPLICATES", "0.1")),
        losses=float(environ.get("GATEWAY_LOSSES", "0")),
    )


def _read(path: str) -> dict[str, str]:
    if not path:
        return {}
    lines = Path(path).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)
