"""Which PostgreSQL is run, and whether with Citus."""

from pathlib import Path

import pytest

from db.local.errors import InvalidVariable, StackError
from db.local.software import PostgreSQL, choose

PG15 = PostgreSQL(major="15", bindir=Path("/15"), has_citus=True)
PG17 = PostgreSQL(major="17", bindir=Path("/17"), has_citus=False)


def test_a_version_with_citus_is_preferred_to_a_newer_one_without() -> None:
    assert choose([PG15, PG17], citus="auto", data_major=None) == (PG15, True)


def test_without_citus_the_newest_version_is_run() -> None:
    assert choose([PG15, PG17], citus="off", data_major=None) == (PG17, False)


def test_existing_data_decides_the_version() -> None:
    assert choose([PG15, PG17], citus="auto", data_major="17") == (PG17, False)


def test_data_of_a_version_that_is_gone_is_named() -> None:
    with pytest.raises(StackError, match="PostgreSQL 16, which made the data"):
        choose([PG15, PG17], citus="auto", data_major="16")


def test_citus_on_is_refused_where_it_is_not_installed() -> None:
    with pytest.raises(StackError, match="not installed for PostgreSQL 17"):
        choose([PG17], citus="on", data_major=None)


def test_an_unknown_wish_is_named() -> None:
    with pytest.raises(InvalidVariable, match="CITUS=maybe"):
        choose([PG15], citus="maybe", data_major=None)
