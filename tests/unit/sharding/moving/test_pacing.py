"""When the next move may begin."""

import pytest

from sharding.errors import InvalidInput
from sharding.moving.pacing import Latency, Pacer, Probe, percentile


class Fixed:
    """A source that always says the same."""

    def __init__(self, latency: Latency) -> None:
        self.latency = latency

    def read(self) -> Latency:
        return self.latency

    def trouble(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing to end."""


@pytest.mark.parametrize(("p99", "allowed"), [(249.0, True), (250.0, True), (251.0, False)])
def test_a_move_begins_below_the_limit(p99: float, *, allowed: bool) -> None:
    pacer = Pacer(Fixed(Latency(p99_ms=p99)), limit_ms=250)
    assert pacer.allows(pacer.read()) is allowed


def test_an_unknown_p99_allows_nothing() -> None:
    pacer = Pacer(Fixed(Latency(p99_ms=None, reason="nobody knows")), limit_ms=250)
    assert not pacer.allows(pacer.read())


def test_the_percentile_is_the_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.99) == 99
    assert percentile([1.0, 2.0], 0.99) == 2


def test_only_web_addresses_are_probed() -> None:
    with pytest.raises(InvalidInput):
        Probe("file:///etc/passwd")
