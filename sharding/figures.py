"""Figures as people read them: bytes, counts, durations, bars."""

from __future__ import annotations

from datetime import timedelta

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bytes_(number: float | None) -> str:
    """Return `1.4 GB`, in steps of 1024 as PostgreSQL's pg_size_pretty; – when not known."""
    if number is None:
        return "–"
    value, unit = float(number), 0
    while abs(value) >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 1 if unit and abs(value) < 100 else 0
    return f"{value:.{digits}f} {_UNITS[unit]}"


def count(number: float | None) -> str:
    """Return `1,234,567`; – when not known."""
    return "–" if number is None else f"{number:,.0f}"


def percent(share: float | None) -> str:
    """Return `12 %` of a share between 0 and 1."""
    return "–" if share is None else f"{share * 100:.0f} %"


def duration(value: timedelta | float | None) -> str:
    """Return `250 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min` or `3 d 4 h`."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    for size, unit, small_size, small_unit in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small_size
            return (
                f"{whole // size} {unit} {rest} {small_unit}" if rest else f"{whole // size} {unit}"
            )
    return f"{whole} s"


def bar(value: float, largest: float, *, width: int = 24) -> str:
    """Return a bar of block characters, `width` for the largest value."""
    if largest <= 0 or value <= 0:
        return ""
    eighths = max(1, round(value / largest * width * 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")
