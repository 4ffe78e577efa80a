"""Bulletins as the hallway uses them: what they rest on, their document, where they lie, and their numbers found again."""

from jobs.reporting.bulletin_checks import bulletin_checks, file_check
from jobs.reporting.bulletin_facts import BulletinFacts, Edition, Matter, Told
from jobs.reporting.bulletin_gather import edition_of, gathered
from jobs.reporting.bulletin_json import FORMAT, bulletin_document
from jobs.reporting.bulletin_looks import check_fonts, fonts
from jobs.reporting.bulletin_period import Period, period
from jobs.reporting.bulletin_results import Figure
from jobs.reporting.bulletin_shelf import BulletinFiles, Bulletins, bulletin_key

__all__ = [
    "FORMAT",
    "BulletinFacts",
    "BulletinFiles",
    "Bulletins",
    "Edition",
    "Figure",
    "Matter",
    "Period",
    "Told",
    "bulletin_checks",
    "bulletin_document",
    "bulletin_key",
    "check_fonts",
    "edition_of",
    "file_check",
    "fonts",
    "gathered",
    "period",
]
