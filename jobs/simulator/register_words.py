"""Names and plates of what the city registers, from registers.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart
from jobs.simulator.identity import identity_check

FILE = Path(__file__).parent / "registers.yaml"


class Firm(ContractPart):
    """An enterprise that is given in full."""

    name: str
    kind: str
    industry: str
    scope: str


class Organ(ContractPart):
    """An organ of the city; `mark` is the prefix of its document numbers."""

    name: str
    mark: str


class DeviceKind(ContractPart):
    """What devices of a prefix have in common; `rated_flow` in m³/h, of heat in t/h.

    `metering_zone`: pattern of the code of the zone that each is the inlet of.
    """

    kind: str
    name: str
    operator: str
    interval_s: int
    count: int
    dial_digits: int | None = None
    rated_flow: int | float | None = None
    design_pressure_mpa: float | None = None
    metering_zone: str | None = None


class RegisterWords(ContractPart):
    """All of them."""

    trades: tuple[tuple[str, str, str], ...]
    kinds: tuple[tuple[str, str, str], ...]
    closed_enterprise: Firm
    organs: tuple[Organ, ...]
    devices: Mapping[str, DeviceKind]
    canaries: tuple[str, ...]


@cache
def words() -> RegisterWords:
    """The words; ContractError where the file is wrong."""
    return read_data(FILE, RegisterWords)


@cache
def canaries() -> tuple[str, ...]:
    """Identity numbers that may be visible nowhere outside the department that owns the record."""
    return tuple(body + identity_check(body) for body in words().canaries)
