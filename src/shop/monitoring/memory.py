"""The last good answers to what /status/ asks, for all app servers, while there is no new one."""

import logging
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.cache import cache

logger = logging.getLogger(__name__)

KEPT = 600.0  # seconds; an older answer says nothing of now
KEY = "monitoring:answers"


class Known(NamedTuple):
    """An answer, the moment that it is of (seconds since 1970), and whether it is new."""

    moment: float
    value: Any
    new: bool


def completed(found: Mapping[str, Any], moment: float) -> dict[str, Known]:
    """Keep what was found now; return it with what was found before and is not too old."""
    before: dict[str, tuple[float, Any]] = _of_the_cache()
    kept = {name: pair for name, pair in before.items() if pair[0] > time.time() - KEPT}
    kept |= {name: (moment, value) for name, value in found.items()}
    try:
        cache.set(KEY, kept, timeout=KEPT)
    except Exception as error:  # whatever it is: the page has its answers
        logger.warning("the answers cannot be kept: %s", error)
    return {name: Known(then, value, name in found) for name, (then, value) in kept.items()}


def _of_the_cache() -> dict[str, tuple[float, Any]]:
    try:
        return cache.get(KEY) or {}
    except Exception as error:
        logger.warning("earlier answers cannot be read: %s", error)
        return {}
