"""Figures as people read them."""


def seconds(value: float) -> str:
    """Return ``12 ms``, ``1.5 s``, ``3 min`` or ``2 h``."""
    if not value:
        return "0 s"
    for least, size, unit in ((7200, 3600, "h"), (120, 60, "min"), (1, 1, "s")):
        if value >= least:
            return f"{_short(value / size)} {unit}"
    return f"{_short(value * 1000)} ms"


def share(value: float) -> str:
    """Return ``12.5 %`` of a share between 0 and 1."""
    return f"{_short(value * 100)} %"


def rate(value: float) -> str:
    """Return ``12.5/s``."""
    return f"{_short(value)}/s"


def count(value: float) -> str:
    """Return ``1,234``."""
    return f"{value:,.0f}" if value >= 1000 else _short(value)


def size(value: float) -> str:
    """Return ``1.4 GB``, in steps of 1024 as PostgreSQL's pg_size_pretty."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while value >= 1024 and unit != "TB":
        value, unit = value / 1024, next(units)
    return f"{_short(value)} {unit}"


def _short(value: float) -> str:
    """Return three digits at most, and no zeros behind the point."""
    if value >= 100:
        return f"{value:.0f}"
    text = f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".")
