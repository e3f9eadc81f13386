"""Tables and findings in the terminal: quiet, aligned, and readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def table(*columns: str, title: str = "", expand: bool = False) -> Table:
    """Return a table; a column named `>Bytes` is aligned to the right, `~Note` may be folded.

    The others never wrap: half a port number is worse than a long line.
    """
    made = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        header_style="dim",
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        expand=expand,
    )
    for name in columns:
        foldable = name.startswith("~")
        made.add_column(
            name.lstrip(">~"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=not foldable,
            overflow="fold" if foldable else "ellipsis",
        )
    return made


def rows(made: Table, content: Iterable[Sequence[object]]) -> Table:
    """Add rows; what is no text yet becomes text, None a dash."""
    for row in content:
        made.add_row(*("–" if cell is None else _cell(cell) for cell in row))
    return made


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text(str(value))


def mark(good: bool) -> Text:
    """Return a green tick or a red cross."""
    return Text("✓", style="green") if good else Text("✗", style="bold red")


def one_line(sql: str, *, most: int = 120) -> str:
    """Return the beginning of a statement, with its white space folded."""
    folded = " ".join(sql.split())
    return folded if len(folded) <= most else f"{folded[: most - 1]}…"


def silence(console: Console, silent: Mapping[str, str]) -> None:
    """Print why nodes did not answer."""
    for sentence in silent.values():
        console.print(Text(sentence, style="red"))


def heading(console: Console, title: str) -> None:
    """Print an empty line and a title."""
    console.print()
    console.print(Text(title, style="bold"))
