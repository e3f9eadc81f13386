"""How much is to be seeded, from which seed, and until which day the made-up history runs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from random import Random

# Beyond this a laptop runs out of memory first: an order in the making takes about 1 KB.
MAX_ROWS = 1_000_000
MAX_SEED = 2**63 - 1
EARLIEST = date(2000, 1, 1)

# The same rows today and next year, unless another day is asked for.
DEFAULT_UNTIL = date(2026, 11, 1)

DAY = 86_400_000  # milliseconds
HISTORY = 730 * DAY


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The arguments of one seeding. Times are milliseconds since 1970, as UUIDv7 counts them."""

    products: int
    users: int
    orders: int
    seed: int = 1
    until: date = DEFAULT_UNTIL

    @property
    def end(self) -> int:
        """Return the last moment of the history."""
        return int(datetime.combine(self.until, time(), UTC).timestamp() * 1000)

    @property
    def start(self) -> int:
        """Return the moment the shop opened."""
        return self.end - HISTORY

    def stream(self, name: str) -> Random:
        """Return a source of random numbers of its own for one kind of row.

        Asking one kind for more rows then leaves the others as they are.
        """
        return Random(f"{self.seed}/{name}")  # noqa: S311 - repeatable on purpose

    def problem(self, today: date) -> str | None:
        """Return the sentence that says why this cannot be done, or None."""
        sizes = {"products": self.products, "users": self.users, "orders": self.orders}
        for name, size in sizes.items():
            if not 0 <= size <= MAX_ROWS:
                return f"--{name} is a number from 0 to {MAX_ROWS}, not {size}."
        if not any(sizes.values()):
            return "There is nothing to seed: all numbers are 0."
        if self.orders and not (self.users and self.products):
            return "Orders need at least one user and one product."
        if not 0 <= self.seed <= MAX_SEED:
            return f"--seed is a number from 0 to {MAX_SEED}, not {self.seed}."
        if not EARLIEST <= self.until <= today:
            return f"--until is a day from {EARLIEST} to today, not {self.until}."
        return None
