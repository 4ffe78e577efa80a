"""Mean flows of the devices that feed a county, from those of the devices that they feed: so that a county's figures balance."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobs.contracts.place import County, place
from jobs.simulator.registers import Device, devices
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


def balanced_means(setting: Setting, prefix: str, balance: Balance) -> Mapping[str, float]:
    """Mean flow by device id; devices of a county share its flow equally."""
    counties = [county.code for county in place().counties]
    sums = _sums(setting, balance)
    sharers = Counter(device.county.code for device in devices(setting, prefix))

    def mean(device: Device) -> float:
        county: County = device.county
        share = balance.shares[counties.index(county.code) % len(balance.shares)]
        return share * sums.get(county.code, balance.elsewhere) / sharers[county.code]

    return {device.id: mean(device) for device in devices(setting, prefix)}


def _sums(setting: Setting, balance: Balance) -> Mapping[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for device in devices(setting, balance.prefix):
        sums[device.county.code] += balance.mean(device.index)
    return sums
