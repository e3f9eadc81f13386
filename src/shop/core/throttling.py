"""How often somebody may ask, and how they are told.

Invariant: every request raises its counter by one atomic increment, and is refused when the
counter then shows more than the quota. Windows are fixed: no span as long as a window sees more
than twice the quota. Rates are settings.THROTTLE_RATES, e.g. ``60/min``, or ``off``.

Every answer of the API carries the fields of draft-ietf-httpapi-ratelimit-headers (revision 10)::

    RateLimit-Policy: "user";q=6000;w=60
    RateLimit: "user";r=5997;t=42
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from shop.core import counters
from shop.core.addresses import client_address, network_of
from shop.core.errors import DomainError, problem_response

if TYPE_CHECKING:  # APIView reads its default throttles, and so this module, when it is made
    from rest_framework.views import APIView

THROTTLED = Counter(
    "shardmart_throttled_total", "Requests refused because somebody asked too often.", ["scope"]
)

RATE = re.compile(r"(?P<quota>[1-9][0-9]*)/(?P<unit>s|min|hour|day)")
SECONDS = {"s": 1, "min": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Policy:
    """So many requests in a window of so many seconds."""

    name: str
    quota: int
    window: int


@dataclass(frozen=True)
class Standing:
    """How somebody stands with a policy.

    Attributes:
        used: requests counted in this window; None if that is not known.
        reset: seconds until the window ends, at least one.
    """

    policy: Policy
    used: int | None
    reset: int

    @property
    def remaining(self) -> int | None:
        """How many more requests the window has room for."""
        return None if self.used is None else max(self.policy.quota - self.used, 0)

    @property
    def exceeded(self) -> bool:
        """Whether more was counted than the policy allows."""
        return self.used is not None and self.used > self.policy.quota

    @property
    def fields(self) -> dict[str, str]:
        """The header fields that tell a client of it."""
        name, quota, window = self.policy.name, self.policy.quota, self.policy.window
        fields = {"RateLimit-Policy": f'"{name}";q={quota};w={window}'}
        if self.remaining is not None:
            fields["RateLimit"] = f'"{name}";r={self.remaining};t={self.reset}'
        return fields


class Throttled(DomainError):
    """Too much was asked, or too often in vain."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "throttled"

    def __init__(self, standing: Standing, reason: str = "You ask too often.") -> None:
        THROTTLED.labels(standing.policy.name).inc()
        super().__init__(f"{reason} Try again in {standing.reset} seconds.")
        self.headers = {"Retry-After": str(standing.reset), **standing.fields}


def policy_named(name: str) -> Policy | None:
    """Return a policy of settings.THROTTLE_RATES; None if it is off."""
    return _parsed(name, settings.THROTTLE_RATES[name])


def count(policy: Policy, *who: str) -> Standing:
    """Count one more request of somebody."""
    used = counters.increment(key_for(policy, *who), lifetime=timedelta(seconds=policy.window))
    return standing_at(policy, used)


def spend(name: str, *who: str) -> None:
    """Count one more use of what has a limit of its own; raise Throttled beyond it."""
    policy = policy_named(name)
    standing = count(policy, *who) if policy else None
    if standing and standing.exceeded:
        raise Throttled(standing)


def standing_at(policy: Policy, used: int | None) -> Standing:
    """Return how somebody stands who has used so much of the window that is open now."""
    return Standing(policy, used, policy.window - int(now()) % policy.window)


def key_for(policy: Policy, *who: str) -> str:
    """Return the key of somebody's counter in the window that is open now."""
    number = int(now()) // policy.window
    return counters.key_of(f"throttle:{policy.name}:{number}", *who)


def now() -> float:
    """Return the time that windows are cut from: seconds, the same on every app server."""
    return time.time()


class RequestThrottle(BaseThrottle):
    """Counts a request for its user, or for its address while nobody is logged in."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if request.user.is_authenticated:
            standing = _counted("user", str(request.user.id))
        else:
            standing = _counted("anonymous", network_of(client_address(request)))
        request._request.throttle_standing = standing  # type: ignore[attr-defined]
        if standing and standing.exceeded:
            raise Throttled(standing)
        return True


class RateLimitFields:
    """Says on every answer of the API how its caller stands.

    A request that was refused before it met its throttle (a forged token, a missing role, no such
    path) is counted here, for its address: guessing costs as much as asking.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        for name in settings.THROTTLE_RATES:
            policy_named(name)  # a rate that cannot be understood stops the start, not a request

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith("/api/"):
            return response
        if hasattr(request, "throttle_standing"):
            standing: Standing | None = request.throttle_standing
        else:
            standing = _counted("anonymous", network_of(client_address(request)))
            if standing and standing.exceeded and 400 <= response.status_code < 500:
                response = _refusal(standing)
        for name, value in standing.fields.items() if standing else ():
            response.headers.setdefault(name, value)
        return response


def _counted(name: str, who: str) -> Standing | None:
    policy = policy_named(name)
    return count(policy, who) if policy else None


def _refusal(standing: Standing) -> HttpResponse:
    error = Throttled(standing)
    return problem_response(error.status, error.code, error.detail, **error.headers)


@cache
def _parsed(name: str, rate: str) -> Policy | None:
    if rate == "off":
        return None
    if match := RATE.fullmatch(rate):
        return Policy(name, int(match["quota"]), SECONDS[match["unit"]])
    raise ImproperlyConfigured(
        f"The rate {rate!r} of {name} is not of the form 60/min (or /s, /hour, /day, or off)."
    )
