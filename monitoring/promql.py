"""As much of PromQL as it takes to find the metrics in an expression."""

from __future__ import annotations

import re

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_SELECTOR = re.compile(r"\{[^{}]*\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE
)
_NAME = re.compile(r"(?<![\w:.$])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan", "by", "on"}


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics that an expression reads.

    >>> sorted(metrics('sum by (le) (rate(a_bucket{x="b"}[5m])) / on (node) c:d > 1'))
    ['a_bucket', 'c:d']
    """
    for pattern in (_STRING, _SELECTOR, _RANGE, _GROUPING):
        expression = pattern.sub(" ", expression)
    return {name for name in _NAME.findall(expression) if name.lower() not in _WORDS}


_SELECTED = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)\s*(\{[^{}]*\})?(?!\s*\()(?![\w:])")


def selectors(expression: str) -> set[str]:
    """Return the selectors of an expression, each a metric with its matchers.

    >>> sorted(selectors('sum by (le) (rate(a_bucket{x="b"}[5m])) / on (node) c:d > 1'))
    ['a_bucket{x="b"}', 'c:d']
    """
    names = metrics(expression)
    plain = _GROUPING.sub(" ", _RANGE.sub(" ", expression))
    return {name + (matchers or "") for name, matchers in _SELECTED.findall(plain) if name in names}


def matched(selector: str) -> set[str]:
    """Return the labels that a selector asks about.

    >>> sorted(matched('a{b="c",d=~"e"}'))
    ['b', 'd']
    """
    return set(re.findall(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)", _STRING.sub('""', selector)))
