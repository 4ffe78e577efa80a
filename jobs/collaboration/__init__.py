"""The loop's second half: what failed becomes a ticket with a clock, and closes on proof."""

from jobs.collaboration.actors import SYSTEM, Actor
from jobs.collaboration.metrics import LoopMetrics
from jobs.collaboration.snapshots import Cutoff, Loop, TicketSummary
from jobs.collaboration.ticket import Event, Issue, Proof, RecheckOutcome, Request, Ticket
from jobs.collaboration.ticket_queries import TicketPage, TicketQuery
from jobs.collaboration.tickets import Tickets, opened, remind

__all__ = [
    "SYSTEM",
    "Actor",
    "Cutoff",
    "Event",
    "Issue",
    "Loop",
    "LoopMetrics",
    "Proof",
    "RecheckOutcome",
    "Request",
    "Ticket",
    "TicketPage",
    "TicketQuery",
    "TicketSummary",
    "Tickets",
    "opened",
    "remind",
]
