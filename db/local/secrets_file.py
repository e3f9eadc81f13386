"""The secrets of a stack: random, made once, kept readable for their owner alone."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


def _password() -> str:
    # Hexadecimal: safe in URLs, in PgBouncer's list and in a password file without quoting.
    return secrets.token_hex(24)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """A password for each database role, Django's key, and what is shared with the gateway."""

    postgres: str = field(default_factory=_password)
    shardmart_owner: str = field(default_factory=_password)
    shardmart_app: str = field(default_factory=_password)
    shardmart_monitor: str = field(default_factory=_password)
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(50))
    payment_webhook_secret: str = field(default_factory=_password)
    gateway_key: str = field(default_factory=_password)

    def of(self, role: str) -> str:
        """Return the password of a database role."""
        return str(getattr(self, role))


def load_or_make(path: Path) -> Secrets:
    """Return the secrets of a stack; make those that it does not have yet, and keep them."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    secrets_ = Secrets(**kept)
    if dataclasses.asdict(secrets_) != kept:
        write_private(path, json.dumps(dataclasses.asdict(secrets_), indent=2) + "\n")
    return secrets_


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, never leaving half of it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
