"""How readings of a dataset arrive one by one, and when an hour of them becomes a delivery."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from jobs.contracts.layout import ContractPart
from jobs.contracts.yaml_source import Document

KAFKA, API = "kafka", "api"


class Stream(ContractPart):
    """Settings of a dataset's stream; the value of the contract's `stream` property. `servers` names the ways in."""

    event_time: str = Field(description="Timestamp field: when the device measured; its UTC hour decides the delivery.")
    device: str = Field(description="Field that names the device; one device's readings stay in order.")
    device_type: str = Field(
        "", description="Type of its devices in the register: one in service that sends nothing is shown as silent."
    )
    in_homes: bool = Field(
        False,
        description="Its devices are in people's homes: neither their places nor their names are shown in the portal.",
    )
    seal_after_min: int = Field(
        10, ge=0, le=10080, description="Minutes after its end at which an hour is sealed and becomes a delivery."
    )
    quiet_s: int = Field(60, ge=0, description="Seconds without another reading of the hour before it is sealed.")
    ahead_min: int = Field(5, ge=0, description="Minutes by which a device's clock may be ahead.")
    behind_d: int = Field(7, ge=1, description="Days after which a reading belongs to the hour of its receipt.")
    clock_offset_s: int = Field(
        300,
        ge=1,
        description="Seconds by which all readings of an hour are early or late before a device's clock counts as wrong.",
    )
    context_min: int = Field(
        120,
        ge=0,
        le=44640,
        description="Minutes of readings before and after an hour, or a file, that its rules over neighbouring readings see.",
    )
    silent_intervals: int = Field(3, ge=1, description="Missing readings in a row after which a device is silent.")


def ways_in(document: Document) -> tuple[str, ...]:
    """Types of the contract's `servers`, each once."""
    return tuple(dict.fromkeys(str(server["type"]) for server in document.data.get("servers") or []))


def check_stream(
    document: Document, stream: Stream | None, fields: Sequence[Any], ways: Sequence[str], refuses_columns: bool = False
) -> None:
    """ContractError where the stream names no timestamp, no device, or no way in, or its layout refuses unknown columns."""
    if stream is None:
        return
    types = {field.name: field.type for field in fields}
    if types.get(stream.event_time) != "timestamp":
        raise document.error(("customProperties",), f"stream: '{stream.event_time}' is not a timestamp field")
    if stream.device not in types:
        raise document.error(("customProperties",), f"stream: '{stream.device}' is not a field of the contract")
    if KAFKA not in ways:
        raise document.error(("servers",), "a contract with `stream` needs a server of type kafka")
    if refuses_columns:
        reason = (
            "a stream has no columns to refuse: one message would refuse all others; extra_columns is evolve or ignore"
        )
        raise document.error(("customProperties",), reason)
