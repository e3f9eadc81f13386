"""Ids and times are given before the commit: neither tells in which order rows appear."""

from docs.examples.consistency.lab import Lab

Facts = dict[str, object]
SCHEMA = """
CREATE TABLE events (
    user_id text, id bigserial, at timestamptz NOT NULL DEFAULT now(), due boolean DEFAULT true,
    PRIMARY KEY (user_id, id));
SELECT create_distributed_table('events', 'user_id', colocate_with => 'none');
"""


def show(lab: Lab) -> Facts:
    """Follow a table by the last id seen, and miss a row; then by a state, and miss none."""
    lab.make(SCHEMA)
    a, b, r = lab.session("A"), lab.session("B"), lab.session("R")
    lab.say("A's event has the lower id and the earlier time, and is committed after B's.")
    a("BEGIN")
    a("INSERT INTO events (user_id) VALUES ('ana') RETURNING id")
    b("INSERT INTO events (user_id) VALUES ('ana') RETURNING id")
    lab.say("R has handled what it sees, and remembers the last id:")
    last = r.value("SELECT max(id) FROM events WHERE user_id = 'ana'")
    a("COMMIT")
    newer = r.value(f"SELECT count(*) FROM events WHERE user_id = 'ana' AND id > {last}")
    lab.say("A's will never be found so. What is still due is found whenever it appears:")
    r(f"UPDATE events SET due = false WHERE user_id = 'ana' AND id = {last}")
    due = r("SELECT id FROM events WHERE user_id = 'ana' AND due").rows
    lab.say("A sequence is not undone, and each node counts in a range of its own:")
    w = lab.session("W1", at=lab.cluster.worker(1))
    at_worker = w.value("SELECT nextval('events_id_seq')")
    a("BEGIN")
    a("INSERT INTO events (user_id) VALUES ('bo') RETURNING id")
    a("ROLLBACK")
    after = a.value("INSERT INTO events (user_id) VALUES ('bo') RETURNING id")
    lab.verdict(
        (newer, due, after, at_worker >> 48) == (0, [(1,)], 4, 1),
        "An id is unique and no more: who reads after others asks for a state, not for an order.",
    )
    return {"newer": newer, "due": due, "after a rollback": after, "at worker 1": at_worker}
