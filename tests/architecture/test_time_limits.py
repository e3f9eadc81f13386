"""Nothing that a task may run through swallows the end of its time.

Celery's soft limit is an exception like any other (SoftTimeLimitExceeded), raised wherever the task
is. A handler of every exception has to pass it on.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).parents[2] / "src/shop"
EVERYTHING = {"Exception", "BaseException"}
LIMIT = "SoftTimeLimitExceeded"

# Handlers that no task runs through, and why.
ALLOWED = {
    "core/relay.py": "a thread of its own: the limit is raised in the main one",
    "monitoring/exporter.py": "a program of its own",
    "monitoring/memory.py": "a page",
}


def names(node: ast.expr | None) -> set[str]:
    """The exceptions that a handler names; all of them if it names none."""
    if node is None:
        return {"BaseException"}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {part.id if isinstance(part, ast.Name) else getattr(part, "attr", "") for part in parts}


def passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler ends with raising."""
    return isinstance(handler.body[-1], ast.Raise)


def swallowed_by(handlers: list[ast.ExceptHandler]) -> Iterator[int]:
    """Yield the line of a handler that the limit reaches, and that keeps it."""
    for handler in handlers:
        if names(handler.type) & {LIMIT, *EVERYTHING}:
            if not passes_on(handler):
                yield handler.lineno
            return


def suppresses(node: ast.AST) -> bool:
    """Whether this is ``contextlib.suppress`` of everything."""
    if not isinstance(node, ast.Call) or "suppress" not in names(node.func):
        return False
    return any(names(argument) & EVERYTHING for argument in node.args)


def swallowing(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that would keep the limit to themselves."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            yield from swallowed_by(node.handlers)
        elif suppresses(node):
            yield node.lineno


def found() -> dict[str, list[int]]:
    lines = {
        str(path.relative_to(SRC)): list(swallowing(ast.parse(path.read_text())))
        for path in sorted(SRC.rglob("*.py"))
    }
    return {name: numbers for name, numbers in lines.items() if numbers}


def test_no_handler_of_everything_swallows_the_time_limit() -> None:
    assert {name: lines for name, lines in found().items() if name not in ALLOWED} == {}


def test_no_exemption_is_left_that_nobody_needs() -> None:
    assert set(ALLOWED) == set(found())


def test_a_handler_that_swallows_it_is_seen() -> None:
    swallows = "try:\n    work()\nexcept Exception:\n    log()\n"
    passes = swallows.replace("except E", f"except {LIMIT}:\n    raise\nexcept E")
    ends = "try:\n    work()\nexcept Exception:\n    log()\n    raise\n"
    bare = "try:\n    work()\nexcept:\n    pass\n"
    quiet = "with suppress(Exception):\n    work()\n"
    lines = [list(swallowing(ast.parse(text))) for text in (swallows, bare, quiet, passes, ends)]
    assert lines == [[3], [3], [1], [], []]
