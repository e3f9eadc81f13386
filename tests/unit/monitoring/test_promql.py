"""Which metrics an expression reads."""

import pytest

from monitoring import promql


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("up == 0", {"up"}),
        ('sum by (le) (rate(a_bucket{x="by (b)"}[5m]))', {"a_bucket"}),
        ("time() - max(a_seconds) > 2 * 60", {"a_seconds"}),
        ("a * on (alias) group_left (node) max by (alias, node) (b)", {"a", "b"}),
        ("a:b:rate5m unless c or d and e", {"a:b:rate5m", "c", "d", "e"}),
        ('topk(10, sum by (s) (rate(a{n=~"$node"}[$__rate_interval])))', {"a"}),
        ("a offset 5m", {"a", "m"} - {"m"}),
    ],
)
def test_metrics_are_told_from_functions_labels_and_words(expression: str, found: set[str]) -> None:
    assert promql.metrics(expression) == found


def test_a_selector_keeps_its_matchers() -> None:
    assert promql.selectors('sum(rate(a{b="c",d=~"e.*"}[5m])) / sum(f)') == {
        'a{b="c",d=~"e.*"}',
        "f",
    }
