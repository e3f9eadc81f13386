"""Wrong passwords, counted; a successful login counts nothing.

Three limits (settings.THROTTLE_RATES) stand between a guesser and an account:

- ``login_account_address``: one address trying one account;
- ``login_address``: one address trying many accounts;
- ``login_account``: many addresses trying one account. It does not hold for addresses from which
  this account logged in within the last 30 days: strangers cannot lock the owner out.

An account is the name that was tried, whether anybody has it or not, so that the limits tell
nothing about who is registered. The password is checked between reading the counters and raising
them: a burst can exceed a limit by as many guesses as the app servers check at the same time.
Names and addresses are stored as keyed digests only. Without Redis nothing is limited.
"""

from collections.abc import Iterable
from datetime import timedelta

from shop.core import counters
from shop.core.addresses import network_of
from shop.core.throttling import Policy, Throttled, count, key_for, policy_named, standing_at

REMEMBERED = timedelta(days=30)


class Attempts:
    """What somebody at an address has tried in vain.

    Args:
        name: the claimed form of the name that is tried (`Identity.name_of`).
        address: empty for a caller inside, who is not limited.
    """

    def __init__(self, *, name: str, address: str) -> None:
        self.network = network_of(address)
        self.limits: list[tuple[Policy, tuple[str, ...]]] = [
            (policy, who)
            for policy, who in (
                (policy_named("login_account_address"), (name, self.network)),
                (policy_named("login_address"), (self.network,)),
                (policy_named("login_account"), (name,)),
            )
            if policy and self.network
        ]
        self.known = _known(name, self.network)

    def require_room(self) -> None:
        """Raise Throttled when a limit is reached, before any password is looked at."""
        keys = [key_for(policy, *who) for policy, who in self.limits]
        found = counters.read([*keys, self.known]) if keys else None
        if found is None:
            return
        for key, (policy, _) in zip(keys, self.limits, strict=True):
            exempt = policy.name == "login_account" and self.known in found
            if found.get(key, 0) >= policy.quota and not exempt:
                standing = standing_at(policy, found[key])
                raise Throttled(standing, "There were too many wrong passwords.")

    def failed(self) -> None:
        """Count a wrong password."""
        for policy, who in self.limits:
            count(policy, *who)


def remember(*, names: Iterable[str], address: str) -> None:
    """Remember that an account, known by these claimed names, logged in from an address."""
    if network := network_of(address):
        counters.mark([_known(name, network) for name in names], lifetime=REMEMBERED)


def _known(name: str, network: str) -> str:
    return counters.key_of("known-address", name, network)
