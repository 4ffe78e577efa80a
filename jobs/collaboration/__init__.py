"""The loop's second half: what failed becomes a ticket with a clock, and closes on proof."""

from jobs.collaboration.actors import MACHINE, Actor
from jobs.collaboration.metrics import LoopMetrics
from jobs.collaboration.snapshots import Brief, Cut, Loop
from jobs.collaboration.ticket import Event, Issue, Outcome, Proof, Request, Ticket
from jobs.collaboration.ticket_queries import Page, Wanted
from jobs.collaboration.tickets import Tickets, opened, remind

__all__ = [
    "MACHINE",
    "Actor",
    "Brief",
    "Cut",
    "Event",
    "Issue",
    "Loop",
    "LoopMetrics",
    "Outcome",
    "Page",
    "Proof",
    "Request",
    "Ticket",
    "Tickets",
    "Wanted",
    "opened",
    "remind",
]
