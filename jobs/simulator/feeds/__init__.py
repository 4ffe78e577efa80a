"""All feeds, in the order in which they refer to one another."""

from jobs.simulator.feed import Feed
from jobs.simulator.feeds import air, enterprises, gas, heat, hotline, masters, meters, penalties, permits, water

FEEDS: tuple[Feed, ...] = (
    masters.DIVISIONS_FEED,
    masters.DEVICES_FEED,
    enterprises.FEED,
    permits.FEED,
    penalties.FEED,
    hotline.FEED,
    air.FEED,
    water.FEED,
    meters.FEED,
    heat.FEED,
    gas.FEED,
)
