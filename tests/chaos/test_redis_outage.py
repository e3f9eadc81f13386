"""Redis dies under load: nobody is refused, and all is as before when it is back."""

import statistics
import time
from collections.abc import Callable

import httpx

from tests.chaos.conftest import Keeper, wait_until
from tests.e2e.traffic import Traffic

BACK_WITHIN = 60.0  # seconds
REQUESTS = 150  # in each phase


def test_no_request_fails_while_redis_is_gone_nor_when_it_returns(
    url: str,
    keeper: Keeper,
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
) -> None:
    buyers = [new_user() for _ in range(2)]
    with Traffic(url, product=new_product(100_000), buyers=buyers) as traffic:
        traffic.wait_for(REQUESTS, seconds=120)
        killed = time.monotonic()
        assert keeper.kill("redis")
        keeper.call("stop", "redis")
        try:
            assert _state_of_the_cache(url) == "down"
            traffic.wait_for(REQUESTS, seconds=120)
        finally:
            started = time.monotonic()
            keeper.call("start", "redis")
        assert wait_until(lambda: _state_of_the_cache(url) == "ok", seconds=BACK_WITHIN)
        traffic.wait_for(REQUESTS, seconds=120)
    assert traffic.reasons() == []
    phases = {
        "before": [one.seconds for one in traffic.answered if one.at < killed],
        "without": [one.seconds for one in traffic.answered if killed <= one.at < started],
        "after": [one.seconds for one in traffic.answered if one.at >= started],
    }
    # Figures, not conditions; `make bench-redis_outage` measures them properly.
    for name, seconds in phases.items():
        p99 = statistics.quantiles(seconds, n=100)[98]
        print(f"{name}: {len(seconds)} requests, p99 {1000 * p99:.0f} ms")


def _state_of_the_cache(url: str) -> str:
    """Return what an app server says of Redis."""
    return str(httpx.get(f"{url}/health/ready", timeout=30).json()["cache"])
