"""All feeds, in the order in which they refer to one another."""

from jobs.simulator.feed import Feed
from jobs.simulator.feeds import (
    air,
    enterprises,
    gas,
    gas_gates,
    heat,
    heat_sources,
    hotline,
    indoor,
    masters,
    meters,
    network,
    penalties,
    permits,
    tables,
    water,
)

FEEDS: tuple[Feed, ...] = (
    tables.CALENDAR_FEED,
    tables.SEASONS_FEED,
    masters.DIVISIONS_FEED,
    tables.TOWNSHIPS_FEED,
    tables.POINTS_FEED,
    masters.DEVICES_FEED,
    enterprises.FEED,
    permits.FEED,
    penalties.FEED,
    hotline.FEED,
    air.FEED,
    water.FEED,
    network.FEED,
    meters.FEED,
    heat.FEED,
    heat_sources.FEED,
    indoor.FEED,
    gas.FEED,
    gas_gates.FEED,
)
