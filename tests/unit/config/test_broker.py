"""How the broker is reached."""

import pytest

from shop.config.broker import VISIBILITY_TIMEOUT, beside, transport_options
from shop.core import tasks


def test_the_broker_is_another_database_of_the_same_redis() -> None:
    assert beside("redis://:pw@cache:6390/0", database=1) == "redis://:pw@cache:6390/1"


@pytest.mark.parametrize("url", ["redis://a/1", "rediss://a/1"])
def test_redis_gives_back_what_nobody_acknowledged(url: str) -> None:
    assert transport_options(url)["visibility_timeout"] == VISIBILITY_TIMEOUT


def test_rabbitmq_confirms_what_it_took() -> None:
    assert transport_options("amqp://a//") == {"confirm_publish": True}


def test_no_task_outlives_the_visibility_timeout() -> None:
    assert all(limits.soft < limits.hard < VISIBILITY_TIMEOUT for limits in tasks.LIMITS.values())
    assert tasks.STANDARD.longest < VISIBILITY_TIMEOUT
