"""Wrong passwords, counted; a successful login counts nothing.

Three limits (settings.THROTTLE_RATES) stand between a guesser and an account:

- ``login_account_address``: one address trying one account;
- ``login_address``: one address trying many accounts;
- ``login_account``: many addresses trying one account. It does not hold for addresses from which
  this account logged in within the last 30 days: strangers cannot lock the owner out.

An account is the name that was typed, in one normal form, wherever it was typed and whether
anybody has it or not: the limits tell nothing about who is registered. Whoever knows both names of
an account has the guesses of two. The password is checked between reading the counters and raising
them: a burst can exceed a limit by as many guesses as the app servers check at the same time.
Names and addresses are stored as keyed digests only. Without Redis nothing is limited.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from shop.accounts.errors import IdentityTaken
from shop.accounts.models import User
from shop.accounts.spelling import normal_form
from shop.core import counters
from shop.core.addresses import network_of
from shop.core.throttling import Policy, Throttled, count, key_for, policy_named, standing_at

REMEMBERED = timedelta(days=30)


class Attempts:
    """What somebody at an address has tried in vain.

    Args:
        name: that is tried, a username or an e-mail address, as it was typed.
        address: empty for a caller inside, who is not limited.
    """

    def __init__(self, *, name: str, address: str) -> None:
        self.network = network_of(address)
        name = normal_form(name)
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


def remember(user: User, *, address: str) -> None:
    """Remember that somebody logged in from an address, by whichever name."""
    if network := network_of(address):
        known = [_known(name, network) for name in (user.username, user.email)]
        counters.mark(known, lifetime=REMEMBERED)


@contextmanager
def naming(*, address: str) -> Iterator[None]:
    """Count each taken name (IdentityTaken) that somebody at an address is told of.

    Who is told that a name is taken learns that somebody is registered. That cannot be helped, but
    be made slow: `taken_address` is the limit.

    Raises:
        Throttled: there were too many before; nothing was tried.
    """
    policy, network = policy_named("taken_address"), network_of(address)
    if policy is None or not network:
        yield
        return
    key = key_for(policy, network)
    used = (counters.read([key]) or {}).get(key, 0)
    if used >= policy.quota:
        raise Throttled(standing_at(policy, used), "Too many of the names were taken.")
    try:
        yield
    except IdentityTaken:
        count(policy, network)
        raise


def _known(name: str, network: str) -> str:
    return counters.key_of("known-address", normal_form(name), network)
