"""Bulletins as pipeline steps use them: their facts, their document, their storage, and the check of their numbers."""

from jobs.reporting.bulletin.checks import bulletin_checks, file_check
from jobs.reporting.bulletin.document import FORMAT, bulletin_document
from jobs.reporting.bulletin.facts import BulletinFacts, Edition, TicketFacts
from jobs.reporting.bulletin.gather import citing, edition_of, gathered, versions_of
from jobs.reporting.bulletin.period import Period, period
from jobs.reporting.bulletin.results import Figure, latest_versions
from jobs.reporting.bulletin.store import BulletinFiles, Bulletins, bulletin_key
from jobs.reporting.bulletin.styles import check_fonts, fonts

__all__ = [
    "FORMAT",
    "BulletinFacts",
    "BulletinFiles",
    "Bulletins",
    "Edition",
    "Figure",
    "Period",
    "TicketFacts",
    "bulletin_checks",
    "bulletin_document",
    "bulletin_key",
    "check_fonts",
    "citing",
    "edition_of",
    "file_check",
    "fonts",
    "gathered",
    "latest_versions",
    "period",
    "versions_of",
]
