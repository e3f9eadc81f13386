"""One number that can be chosen on the command line, with its bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from db.local.errors import InvalidVariable


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A number that can be chosen: its name in `make`, its default and its bounds."""

    name: str
    default: int
    lowest: int
    highest: int

    @property
    def field(self) -> str:
        """The attribute that holds the value."""
        return self.name.lower()

    def parse(self, text: str) -> int:
        """Return the number in `text`; InvalidVariable says what is expected."""
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise InvalidVariable(f"{self.name}={text} is not a number{self._expected}")
        return self.check(int(text))

    def check(self, value: int) -> int:
        """Return `value` when it is within the bounds."""
        if not self.lowest <= value <= self.highest:
            raise InvalidVariable(f"{self.name}={value} is out of range{self._expected}")
        return value

    @property
    def _expected(self) -> str:
        return f": choose one from {self.lowest} to {self.highest}."


def port_variable(name: str, default: int) -> Variable:
    """A port. Below 1024 only root may listen, and no server of the stack runs as root."""
    return Variable(name=name, default=default, lowest=1024, highest=65535)
