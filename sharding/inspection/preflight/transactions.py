"""Who would keep a move waiting, and everybody who writes to the shard behind it?

At the end of a move Citus blocks writes to the shard group and waits for the transactions that
have written to it. An open transaction also holds back the snapshot with which a slot begins.
"""

from __future__ import annotations

from sharding.figures import duration
from sharding.inspection.preflight.building import Check, Findings, warning
from sharding.inspection.preflight.facts import Facts, Transaction

IDLE = "idle in transaction"


def long_running(facts: Facts) -> Findings:
    """Transactions that have been open for long, and those that nobody works on any more."""
    for state in facts.nodes:
        for transaction in state.transactions:
            idle = (transaction.state or "").startswith(IDLE)
            yield warning(
                "idle-in-transaction" if idle else "long-transaction",
                _sentence(transaction, idle=idle),
                remedy="Wait for it, or end it on that node:"
                f" SELECT pg_terminate_backend({transaction.pid});",
                node=transaction.node,
            )


def _sentence(transaction: Transaction, *, idle: bool) -> str:
    age = duration(transaction.age)
    what = f"idle in transaction for {age}, last" if idle else f"running for {age}"
    who = transaction.application or "no application name"
    return (
        f"{transaction.node}: pid {transaction.pid} ({transaction.role}, {who}) is {what}:"
        f" {transaction.query}"
    )


CHECKS: tuple[Check, ...] = (long_running,)
