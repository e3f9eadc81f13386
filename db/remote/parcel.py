"""What is sent to the host: this program's other half, and the files of the release."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from db.remote.errors import Refused
from db.remote.host.releases import COMPOSE_FILE
from db.remote.host.runs import ROOMS

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = ("db/__init__.py", "db/placeholders.py", "db/remote")
LEFT_OUT = ("__pycache__", ".pyc")


def pack(checkout: Path = CHECKOUT) -> bytes:
    """Return a tar file with `tool/` and `files/`; Refused when something is missing here."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in PROGRAM:
            tar.add(CHECKOUT / name, f"tool/{name}", filter=_anonymous)
        for name in (COMPOSE_FILE, *ROOMS):
            if not (checkout / name).exists():
                raise Refused(f"{checkout} has no {name}: run this in a checkout of the release.")
            tar.add(checkout / name, f"files/{name}", filter=_anonymous)
    return buffer.getvalue()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what Python has made, and whose the files are here; containers can read them."""
    if entry.name.endswith(LEFT_OUT):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
