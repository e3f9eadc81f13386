"""Who the servers run as: never root, whoever started the stack."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from db.local.errors import StackError

DEBIAN_POSTGRES = "postgres"


@dataclass(frozen=True, kw_only=True)
class Account:
    """The user that PostgreSQL, PgBouncer, Redis and HAProxy run as."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether the servers run as somebody else than we do."""
        return self.uid != os.geteuid()

    def own(self, path: Path, *, mode: int) -> None:
        """Give `path` to the account, with the permissions `mode`."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command as the account and return what it printed."""
        return subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            check=False,
            # Ours may be closed to the account.
            cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )

    def can_enter(self, directory: Path) -> bool:
        """Whether the account can reach `directory`, through all its parents."""
        return not self.is_other or self.run("test", "-x", directory).returncode == 0


def service_account(data: Path) -> Account:
    """Return the owner of existing data; else ourselves, or `postgres` when we are root."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    if data.exists() and data.stat().st_uid != 0:
        return _account(pwd.getpwuid(data.stat().st_uid))
    try:
        return _account(pwd.getpwnam(DEBIAN_POSTGRES))
    except KeyError:
        raise StackError(
            "PostgreSQL refuses to run as root, and there is no user postgres: run as another user."
        ) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
