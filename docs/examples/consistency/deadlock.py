"""Two nodes, each with half of a circle: Citus finds the deadlock, and undoes one of the two."""

from docs.examples.consistency.lab import ACCOUNTS, Lab

Facts = dict[str, object]
ANA = "UPDATE accounts SET balance = balance + 1 WHERE owner = 'ana'"
BO = "UPDATE accounts SET balance = balance + 1 WHERE owner = 'bo'"


def show(lab: Lab) -> Facts:
    """Cross two transfers, begin the undone one anew, and then let both take the same order."""
    lab.make(ACCOUNTS)
    crossed = cross(lab)
    ordered = in_order(lab)
    lab.verdict(
        sorted(crossed) == ["", "40P01"] and ordered == ["", ""],
        "One of two is undone with 40P01 and can begin anew; a common order needs neither.",
    )
    return {"crossed": crossed, "in order": ordered}


def cross(lab: Lab) -> list[str]:
    """Change Ana and Bo, and Bo and Ana; return what each was told in the end."""
    a, b = lab.session("A"), lab.session("B")
    lab.say("A begins with Ana (worker 2), B with Bo (worker 1).")
    a("BEGIN")
    b("BEGIN")
    a(ANA)
    b(BO)
    first = a.start(BO)
    lab.until_locked_out(a)
    second = b.start(ANA)
    lab.say("On worker 1 A waits for B, on worker 2 B for A; neither server sees a circle.")
    told = [second.end(), first.end()]
    b("ROLLBACK")
    a("COMMIT")
    return told


def in_order(lab: Lab) -> list[str]:
    """The same with Ana first in both: one waits, and nobody is undone."""
    a, b = lab.session("A"), lab.session("B")
    lab.say("Both take the rows in the same order:")
    a("BEGIN")
    b("BEGIN")
    a(ANA)
    second = b.start(ANA)
    lab.until_locked_out(b)
    a(BO)
    told = [a.outcome("COMMIT"), second.end()]
    b(BO)
    b("COMMIT")
    return told
