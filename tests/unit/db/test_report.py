"""The tables for the operator."""

from db.local.report import table


def test_words_stand_left_and_numbers_right() -> None:
    assert table(("NODE", "BYTES"), [("worker1", "1,024"), ("w", "7")]) == (
        "NODE     BYTES\nworker1  1,024\nw            7"
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert table(("NODE", "BYTES"), []) == "NODE  BYTES"
