"""What the operator asks of the host: sent as one line of JSON, never on a command line."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Request:
    """One run.

    `run` names it on the host; `by` is who runs it; `elapsed` are the seconds since they began,
    `patience` those that an app server may take to become healthy.
    """

    run: str
    env: str
    tag: str
    app_image: str
    node_image: str
    node_tag: str
    transfer: str
    smoke: str
    patience: float
    by: str
    commit: str
    elapsed: float = 0.0

    def to_line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Request:
        """Read what `to_line` has written."""
        return cls(**json.loads(line))
