"""The words a definition may use for its policies, and the error that says which of them was meant otherwise."""

from __future__ import annotations

LATEST_WINS, FILL_IF_EMPTY, ASK, SYSTEM_OF_RECORD = "latest_wins", "fill_if_empty", "ask", "system_of_record"
CONFLICT_POLICIES = {
    LATEST_WINS: "The later edit wins",
    FILL_IF_EMPTY: "The first value stands",
    ASK: "Ask a person",
    SYSTEM_OF_RECORD: "One system is right",
}

IGNORE, MARK, PROPAGATE = "ignore", "mark", "propagate"
DELETE_POLICIES = {
    IGNORE: "Nothing; it stays where it is",
    MARK: "It is noted in the history",
    PROPAGATE: "It is deleted in the other systems, too",
}
DELETION = "@deleted"  # stands for a field where an integration has its own policy

# Whom a notice goes to: the partner's people by role, the customer's by role.
STAFF_ROLES = ("owner", "admin", "engineer", "support", "finance")
CUSTOMER_ROLES = {"customer_admin": "admin", "customer_viewer": "viewer"}
# Facts of a customer's records that start a flow (`sync.engine.events` writes them).
TRIGGERING_EVENTS = {
    "opportunity.won": "a deal is won",
    "project.provisioned": "a project is opened",
    "time_entry.approved": "time is approved",
    "milestone.completed": "a milestone is completed",
    "invoice.released": "an invoice is released",
    "payment.received": "a payment arrives",
    "revenue.recognizable": "revenue may be recognized",
}


class InvalidDefinition(ValueError):
    """The file cannot be a template; the message names file, flow, rule and reason.

    `where` is the place in words (`flow won-deals, rule 3`), `path` where it stands in the data (`.flows[0].rules[2]`).
    """

    def __init__(self, reason: str, *, file: str = "", where: str = "", path: str = "") -> None:
        super().__init__(": ".join(part for part in (file, where, reason) if part))
        self.reason, self.where, self.path = reason, where, path
