"""What a production process refuses to start with: every reason at once, in one message."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

MIN_SECRET = 50  # characters
GIVEAWAYS = ("insecure", "offline", "dev-only")
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
    yield from _secret_key(settings["SECRET_KEY"])
    if settings["DEBUG"]:
        yield "DEBUG is on: its error pages show settings and source code."
    yield from _hosts(settings["ALLOWED_HOSTS"])
    yield from _public_url(settings["PUBLIC_URL"], settings["ALLOWED_HOSTS"])
    if not settings["PAYMENT_WEBHOOK_SECRET"]:
        yield "PAYMENT_WEBHOOK_SECRET is missing: anybody could report payments."
    yield from _gateway(settings["PAYMENT_GATEWAY"], settings["STRIPE_API_KEY"])
    yield from _roles(settings["DATABASES"])
    yield from _origins(settings["CORS_ALLOWED_ORIGINS"])


def _secret_key(key: str) -> Iterator[str]:
    if len(key) < MIN_SECRET:
        yield f"SECRET_KEY has {len(key)} characters; {MIN_SECRET} are needed."
    for word in GIVEAWAYS:
        if word in key.lower():
            yield f"SECRET_KEY contains {word!r}: it is not one made for production."


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
