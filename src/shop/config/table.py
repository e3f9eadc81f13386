"""The tables of docs/configuration.md, made of what the settings read.

`make schema` runs this: `python -m shop.config.table docs/configuration.md`.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from shop.config.environment import Setting
from shop.config.meanings import BY_THE_STACK, CHOSEN
from shop.core.markdown import replaced


def with_tables(text: str, read: Mapping[str, Setting]) -> str:
    """Return a page with its tables as the settings make them now.

    Raises:
        KeyError: a variable that is read has no meaning, or one that has is not read.
        ValueError: the page lacks the markers of a table.
    """
    if unknown := read.keys() ^ (CHOSEN.keys() | BY_THE_STACK.keys()):
        raise KeyError(f"not in both the settings and shop.config.meanings: {sorted(unknown)}")
    text = replaced(text, "chosen", _table(CHOSEN, read))
    return replaced(text, "by the stack", _table(BY_THE_STACK, read))


def _table(meanings: Mapping[str, str], read: Mapping[str, Setting]) -> str:
    rows = [f"| `{name}` | {_default(read[name])} | {meanings[name]} |" for name in meanings]
    return "\n".join(["| variable | unless set | what it is |", "|---|---|---|", *rows])


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "must be set"
    here = f"`{setting.default}`" if setting.default else "–"
    if setting.production is None:
        return here
    return f"{here}; in production {f'`{setting.production}`' if setting.production else '–'}"


def main() -> None:
    """Renew the page."""
    from shop.config.settings import env  # noqa: PLC0415 - reads the environment

    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text(), env.read))


if __name__ == "__main__":
    main()
