"""What `shardctl status` warns of, asked for in the background: it takes longer than a page may."""

from __future__ import annotations

import logging
import threading
import time

from sharding.cluster import Cluster
from sharding.errors import ShardingError
from sharding.inspection import overview
from sharding.inspection.findings import Finding

EVERY = 15.0  # seconds, and only while somebody looks

logger = logging.getLogger(__name__)


class Inspector:
    """Keeps the findings of the last inspection, and begins the next when they are asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = 0.0
        self._findings: list[Finding] = []

    def findings(self, dsn: str) -> list[Finding]:
        """Return what the last inspection has found, at once; nothing before the first is done."""
        with self._lock:
            if time.monotonic() - self._begun > EVERY:
                self._begun = time.monotonic()
                threading.Thread(target=self._inspect, args=[dsn], daemon=True).start()
            return self._findings

    def _inspect(self, dsn: str) -> None:
        try:
            with Cluster.connect(dsn) as cluster:
                self._findings = list(overview.inspect(cluster).findings)
        except ShardingError as error:
            # The page itself says what does not answer.
            logger.warning("the cluster could not be inspected", exc_info=error)
