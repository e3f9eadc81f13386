"""A circuit per endpoint, which all workers share: whoever does not answer is left alone.

After THRESHOLD attempts in a row without an answer the circuit is open: one attempt is made per
pause, the others fail at once and have their next time. Any answer closes it. Where Redis does not
answer every circuit counts as closed: attempts have a deadline, and processes of their own.
"""

from datetime import timedelta

from shop.core import counters

THRESHOLD = 3
FIRST, LONGEST = timedelta(seconds=30), timedelta(minutes=10)  # pauses, which double
REMEMBERED = timedelta(days=1)


def lets_through(endpoint_id: int) -> bool:
    """Tell whether an endpoint may be asked now; where its circuit is open, True once per pause."""
    key = _failures(endpoint_id)
    found = counters.read([key])
    failures = found.get(key, 0) if found else 0
    if failures < THRESHOLD:
        return True
    return counters.first(_pause(endpoint_id), lifetime=_length(failures)) is not False


def note(endpoint_id: int, *, answered: bool) -> None:
    """Note whether an endpoint that was asked has answered, whatever the answer."""
    if answered:
        counters.forget([_failures(endpoint_id), _pause(endpoint_id)])
        return
    failures = counters.increment(_failures(endpoint_id), lifetime=REMEMBERED)
    if failures is not None and failures >= THRESHOLD:
        counters.mark([_pause(endpoint_id)], lifetime=_length(failures))


def _length(failures: int) -> timedelta:
    doubled: timedelta = FIRST * 2 ** min(failures - THRESHOLD, 10)
    return min(doubled, LONGEST)


def _failures(endpoint_id: int) -> str:
    return f"webhook-unanswered:{endpoint_id}"


def _pause(endpoint_id: int) -> str:
    return f"webhook-pause:{endpoint_id}"
