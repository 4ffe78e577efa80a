"""The lake tended: small files joined, old ones removed."""

from datetime import UTC, datetime

from jobs.collaboration import remind as tell
from jobs.contracts import Catalogue
from jobs.lake.lake import Lake
from jobs.lake.results import RULES, VERDICTS
from jobs.lake.zones import Zone

KEEP_HOURS = 90 * 24


def remind(lake: Lake, catalogue: Catalogue) -> list[str]:
    """Waivers that ended reopen their tickets, overdue ones are escalated, departments are told what is due."""
    return [f"{one.channel} {one.department} {one.tickets}" for one in tell(lake.settings, datetime.now(UTC))]


def upkeep(lake: Lake, catalogue: Catalogue) -> list[str]:
    """Compact all tables, and remove files that no version of the last 90 days needs."""
    names = [c.id for c in catalogue.sources()]
    written = [(zone, n) for n in names for zone in (Zone.BRONZE, Zone.QUARANTINE, Zone.EVIDENCE)]
    for zone, name in [*written, (Zone.RESULTS, VERDICTS), (Zone.RESULTS, RULES)]:
        lake.arrow.compact(lake.path(zone, name), KEEP_HOURS)
    made = [(Zone.SILVER, n) for n in names]
    made += [(Zone.GOLD, c.id) for c in catalogue.products()]
    kept = [lake.path(zone, name) for zone, name in made if lake.arrow.version(lake.path(zone, name)) is not None]
    for path in kept:
        lake.tables.compact(path, KEEP_HOURS)
    return [str(path) for path in kept]
