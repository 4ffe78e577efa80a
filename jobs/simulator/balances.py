"""Mean flows of the devices that feed a county, from those of the devices that they feed: so that a county's figures balance."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle

from jobs.contracts.place import place
from jobs.simulator.registers import devices
from jobs.simulator.setting import Setting


@dataclass(frozen=True)
class Balance:
    """How the flow of a county's devices follows from the sum of others: their prefix, and the mean flow of each.

    `shares`: of that sum, in turn by county; `elsewhere`: the sum in a county that has none of them.
    """

    prefix: str
    mean: Callable[[int], float]
    shares: tuple[float, ...]
    elsewhere: float


def county_flows(setting: Setting, balance: Balance) -> Mapping[str, float]:
    """Flow of each county by its code."""
    sums = _sums(setting, balance)
    shares = cycle(balance.shares)
    return {county.code: next(shares) * sums.get(county.code, balance.elsewhere) for county in place().counties}


def balanced_means(setting: Setting, prefix: str, balance: Balance) -> Mapping[str, float]:
    """Mean flow by device id; devices of a county share its flow equally."""
    flows = county_flows(setting, balance)
    sharers = Counter(device.county.code for device in devices(setting, prefix))
    return {device.id: flows[device.county.code] / sharers[device.county.code] for device in devices(setting, prefix)}


def _sums(setting: Setting, balance: Balance) -> Mapping[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for device in devices(setting, balance.prefix):
        sums[device.county.code] += balance.mean(device.index)
    return sums
