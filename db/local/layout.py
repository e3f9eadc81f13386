"""Where a stack keeps its things: `.run/<stack>/`, or a place behind that link.

The servers may run as a user who cannot enter the checkout (below /root, say). Then the directory
lies in /var/lib/shardmart and `.run/<stack>` is a link to it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from db.local.account import Account, service_account
from db.local.errors import StackError

CHECKOUT = Path(__file__).resolve().parents[2]
OUTSIDE = Path("/var/lib/shardmart")
# The kernel takes 107 bytes for a socket's path; supervisord appends a dot and a process id first.
LONGEST_SOCKET = 96


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The paths of one stack. `base` is free of links: the servers use it as it is."""

    checkout: Path
    link: Path
    base: Path

    @property
    def settings(self) -> Path:
        return self.base / "stack.json"

    @property
    def secrets(self) -> Path:
        return self.base / "secrets.json"

    @property
    def env(self) -> Path:
        return self.base / "env"

    @property
    def conf(self) -> Path:
        return self.base / "conf"

    @property
    def log(self) -> Path:
        return self.base / "log"

    @property
    def postgres(self) -> Path:
        return self.base / "postgres"

    @property
    def redis_state(self) -> Path:
        return self.base / "redis-state"

    @property
    def redis(self) -> Path:
        return self.base / "redis"

    @property
    def prometheus(self) -> Path:
        return self.base / "prometheus"

    @property
    def alertmanager(self) -> Path:
        return self.base / "alertmanager"

    @property
    def haproxy(self) -> Path:
        """Where HAProxy makes its runtime socket; for its account alone."""
        return self.base / "haproxy"

    @property
    def haproxy_socket(self) -> Path:
        # A short name: HAProxy appends its process id and ".tmp" while it makes it.
        return self.haproxy / "cli"

    @property
    def haproxy_loaded(self) -> Path:
        """A digest of the configuration that HAProxy runs with."""
        return self.base / "haproxy.loaded"

    @property
    def gateway(self) -> Path:
        return self.base / "gateway"

    @property
    def mail(self) -> Path:
        """Where the mail catcher keeps what was sent."""
        return self.base / "mail"

    @property
    def beat_schedule(self) -> Path:
        """Where beat notes when it started what; its age shows that beat is alive."""
        return self.base / "beat-schedule"

    @property
    def pgpass(self) -> Path:
        return self.conf / "pgpass"

    @property
    def socket(self) -> Path:
        return self.base / "supervisor.sock"

    @property
    def pidfile(self) -> Path:
        return self.base / "supervisord.pid"

    def node_data(self, name: str) -> Path:
        """The data directory of the node called `name`."""
        return self.postgres / name

    def log_of(self, program: str) -> Path:
        """The log file of the program called `program`."""
        return self.log / f"{program}.log"


def find(stack: str, *, checkout: Path = CHECKOUT) -> Layout:
    """Return the paths of a stack, whether it exists or not."""
    link = checkout / ".run" / stack
    return Layout(checkout=checkout, link=link, base=link.resolve())


def outside(checkout: Path) -> Path:
    """Return the directory for stacks of a checkout that the servers cannot enter."""
    digest = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:10]
    return OUTSIDE / f"{checkout.name}-{digest}"


def prepare(stack: str, *, checkout: Path = CHECKOUT) -> tuple[Layout, Account]:
    """Make the directories of a stack and return them with the account that owns the data."""
    layout = find(stack, checkout=checkout)
    account = service_account(layout.postgres)
    layout.link.parent.mkdir(exist_ok=True)
    if not layout.link.exists() and not account.can_enter(checkout):
        layout = _move_outside(layout)
    try:
        layout.base.mkdir(exist_ok=True)
        for directory in (layout.conf, layout.log, layout.gateway):
            directory.mkdir(exist_ok=True)
        layout.log.chmod(0o700)  # PostgreSQL's tells rows and values
        for directory in (layout.postgres, layout.redis, layout.redis_state, layout.haproxy):
            directory.mkdir(exist_ok=True)
            account.own(directory, mode=0o700)
        layout.base.chmod(0o755)
    except PermissionError:
        raise StackError(
            f"{layout.link} belongs to another user, probably root: use sudo as the first time."
        ) from None
    if len(os.fsencode(layout.socket)) > LONGEST_SOCKET:
        raise StackError(f"The path {layout.socket} is too long for a socket: use a shorter path.")
    return layout, account


def _move_outside(layout: Layout) -> Layout:
    target = outside(layout.checkout) / layout.link.name
    target.mkdir(parents=True, exist_ok=True)
    layout.link.unlink(missing_ok=True)
    layout.link.symlink_to(target)
    print(f"The servers cannot enter {layout.checkout}: the data lies in {target}.", flush=True)
    return find(layout.link.name, checkout=layout.checkout)


def stacks(*, checkout: Path = CHECKOUT) -> list[str]:
    """Return the names of the stacks of a checkout."""
    run = checkout / ".run"
    if not run.is_dir():
        return []
    return sorted(entry.name for entry in run.iterdir() if entry.is_symlink() or entry.is_dir())


def remove(layout: Layout) -> None:
    """Remove a stopped stack with its data; what a link points to only when it is a stack's."""
    own_outside = outside(layout.checkout)
    try:
        if layout.link.is_symlink():
            if layout.base.parent == own_outside and layout.base.is_dir():
                shutil.rmtree(layout.base)
            layout.link.unlink()
        elif layout.link.is_dir():
            shutil.rmtree(layout.link)
    except PermissionError:
        raise StackError(
            f"{layout.link} belongs to another user, probably root: use sudo as the first time."
        ) from None
    for empty in (own_outside, OUTSIDE):
        if empty.is_dir() and os.access(empty.parent, os.W_OK) and not any(empty.iterdir()):
            empty.rmdir()
