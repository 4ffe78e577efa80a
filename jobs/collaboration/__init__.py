"""Tickets: each rule that a delivery breaks becomes a ticket with a clock, which closes on proof."""

from jobs.collaboration.metrics import LoopMetrics
from jobs.collaboration.snapshots import Cutoff, Loop
from jobs.collaboration.ticket_queries import TicketPage, TicketQuery
from jobs.collaboration.tickets import Tickets, opened, remind

__all__ = [
    "Cutoff",
    "Loop",
    "LoopMetrics",
    "TicketPage",
    "TicketQuery",
    "Tickets",
    "opened",
    "remind",
]
