"""What a production process refuses to start with: every reason at once, in one message."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from db.placeholders import placeholder_in

MIN_KEY = 50  # characters of SECRET_KEY
MIN_SECRET = 32  # of any other that we choose ourselves
GIVEN_BY_OTHERS = ("STRIPE_API_KEY", "EMAIL_URL")
SUPERUSERS = frozenset({"postgres", "root", "admin", "superuser", "citus"})

Settings = Mapping[str, Any]


def refuse_unsafe(settings: Settings) -> None:
    """Raise ImproperlyConfigured if anything here would be unsafe to expose.

    Args:
        settings: Django's settings by name.
    """
    reasons = list(_reasons(settings))
    if reasons:
        listed = "\n".join(f"- {reason}" for reason in reasons)
        raise ImproperlyConfigured(
            f"ENVIRONMENT=production refuses to start for {len(reasons)} reason(s):\n{listed}"
        )


def _reasons(settings: Settings) -> Iterator[str]:
    yield from _weak(_secrets(settings))
    if settings["DEBUG"]:
        yield "DEBUG is on: its error pages show settings and source code."
    yield from _hosts(settings["ALLOWED_HOSTS"])
    yield from _public_url(settings["PUBLIC_URL"], settings["ALLOWED_HOSTS"])
    if not settings["PAYMENT_WEBHOOK_SECRET"]:
        yield "PAYMENT_WEBHOOK_SECRET is missing: anybody could report payments."
    yield from _gateway(settings["PAYMENT_GATEWAY"], settings["STRIPE_API_KEY"])
    yield from _redis(settings["REDIS_URL"], settings["STATE_REDIS_URL"])
    yield from _roles(settings["DATABASES"])
    yield from _origins(settings["CORS_ALLOWED_ORIGINS"])


def _secrets(settings: Settings) -> dict[str, str]:
    """Return what must stay secret, by the variable that it came in; what is not set is not."""
    servers = ("REDIS_URL", "STATE_REDIS_URL", "CELERY_BROKER_URL")
    redis, state, broker = (urlsplit(settings[name]).password for name in servers)
    secrets = {
        "SECRET_KEY": settings["SECRET_KEY"],
        "PAYMENT_WEBHOOK_SECRET": settings["PAYMENT_WEBHOOK_SECRET"],
        "STRIPE_API_KEY": settings["STRIPE_API_KEY"],
        "SANDBOX_GATEWAY_KEY": settings["SANDBOX_GATEWAY_KEY"],
        "DATABASE_URL": settings["DATABASES"]["default"].get("PASSWORD"),
        "DATABASE_DIRECT_URL": settings["DATABASES"]["coordinator"].get("PASSWORD"),
        "DATABASE_MONITOR_URL": urlsplit(settings["SHARD_MONITOR_DSN"]).password,
        "REDIS_URL": redis,
        # These may be one server, or two that are run alike.
        "STATE_REDIS_URL": state if state != redis else None,
        "BROKER_URL": broker if broker != redis else None,
        "EMAIL_URL": settings["EMAIL_HOST_PASSWORD"],
    }
    return {name: secret for name, secret in secrets.items() if secret}


def _weak(secrets: Mapping[str, str]) -> Iterator[str]:
    for name, secret in secrets.items():
        needed = MIN_KEY if name == "SECRET_KEY" else MIN_SECRET
        if len(secret) < needed and name not in GIVEN_BY_OTHERS:
            yield f"{_secret_of(name)} has {len(secret)} characters; {needed} are needed."
        if word := placeholder_in(secret):
            yield f"{_secret_of(name)} contains {word!r}: it is not one made for production."
    for (one, first), (other, second) in combinations(secrets.items(), 2):
        if first == second:
            yield f"{_secret_of(one)} and {_secret_of(other)} are the same: each needs its own."


def _secret_of(name: str) -> str:
    return f"{name}'s password" if name.endswith("_URL") else name


def _hosts(hosts: Sequence[str]) -> Iterator[str]:
    if not hosts:
        yield "ALLOWED_HOSTS is empty."
    for host in hosts:
        if "*" in host or host.startswith("."):
            yield f"ALLOWED_HOSTS has the wildcard {host!r}; name each host."


def _public_url(url: str, hosts: Sequence[str]) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield f"PUBLIC_URL {url!r} is not https."
    if hosts and parts.hostname not in hosts:
        yield f"PUBLIC_URL's host {parts.hostname!r} is not among ALLOWED_HOSTS."


def _gateway(name: str, stripe_key: str) -> Iterator[str]:
    if name == "sandbox":
        yield "PAYMENT_GATEWAY is 'sandbox': orders would be paid with no money."
    if name == "stripe" and not stripe_key:
        yield "STRIPE_API_KEY is missing."


def _redis(cache: str, state: str) -> Iterator[str]:
    if _server_of(cache) == _server_of(state):
        yield (
            "STATE_REDIS_URL is missing, or names the Redis of REDIS_URL: whoever fills the cache"
            " would empty the counters of wrong passwords."
        )


def _server_of(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 6379


def _roles(databases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for alias, database in databases.items():
        role = database.get("USER") or "(none)"
        if role.lower() in SUPERUSERS:
            yield f"The database role {role!r} of {alias!r} looks like a superuser."
    owner = databases.get("coordinator", {}).get("USER")
    if owner and owner == databases["default"].get("USER"):
        yield f"The application and its migrations share the database role {owner!r}."


def _origins(origins: Sequence[str]) -> Iterator[str]:
    for origin in origins:
        if not origin.startswith("https://"):
            yield f"CORS_ALLOWED_ORIGINS has {origin!r}, which is not https."
