"""Telemetry of the network L-TOWN with bursts, as EPANET computes it: the network is published, its telemetry is not (W6, W7).

Demands vary by day and by the five minutes, by an assumption of this file; a burst is an opening of the published leak's area,
or a multiple of it, at one end of a pipe. Pressures in m of water, flows in m³/h, both rounded as instruments give them.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from epanet import toolkit
from openpyxl import load_workbook

BEGIN, DAYS, STEP_S, DAY_S = datetime(2018, 1, 1), 84, 300, 86_400
INFLOWS = {"p227": 1, "p235": 1, "PUMP_1": -1}
"""Pipes from the two reservoirs, less what is pumped into the tank of the upper zone."""
SENSORS = ("n54", "n105", "n188", "n288", "n458", "n613", "n726")
"""Seven of the nodes that the network's file names as pressure sensors, one in each part of the town."""
BURSTS = (
    ("p427", 25, 1),
    ("p523", 33, 1),
    ("p193", 41, 2),
    ("p427", 49, 2),
    ("p523", 57, 4),
    ("p193", 65, 4),
    ("p427", 73, 8),
)
"""Pipe, the day on which it bursts at noon for a day, and how many times the published leak's area, which loses 5 m³/h."""
NIGHT = range(2, 4)
"""Hours in which a town uses least, so that what it loses is seen; the inflow of these hours is a field of its own."""
BY_DAY, BY_STEP, KEPT = 0.02, 0.02, 0.8
"""Standard deviations of a demand's factor, and how much of a step's deviation the next one keeps."""
DISCHARGE, GRAVITY = 0.75, 9.81


def telemetry(network: Path, folder: Path) -> Path:
    """The readings of 84 days as CSV, every five minutes; `Leak` says whether a pipe was open."""
    target = folder / "l_town.csv"
    project = toolkit.createproject()
    toolkit.open(project, str(network), str(folder / "l_town.rpt"), str(folder / "l_town.bin"))
    try:
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["Timestamp", "Inflow", "NightInflow", *SENSORS, "Leak"])
            writer.writerows(_readings(project, _area(network.with_name("Leak_p427.xlsx"))))
    finally:
        toolkit.close(project)
        toolkit.deleteproject(project)
    return target


def _area(published: Path) -> float:
    """The leak's area in m²."""
    book = load_workbook(published, read_only=True)
    facts = {str(name).strip(): value for name, value, *_ in book["Info"].iter_rows(values_only=True)}
    book.close()
    return float(facts["Leak Area"])


def _readings(project: Any, area: float) -> Iterator[list[Any]]:
    nodes = [toolkit.getnodeindex(project, name) for name in SENSORS]
    mains = [(toolkit.getlinkindex(project, name), sign) for name, sign in INFLOWS.items()]
    factors = _factors()
    toolkit.settimeparam(project, toolkit.DURATION, DAYS * DAY_S - STEP_S)
    toolkit.openH(project)
    toolkit.initH(project, toolkit.NOSAVE)
    is_going_on = True
    while is_going_on:
        second = toolkit.gettimeparam(project, toolkit.HTIME)
        toolkit.setoption(project, toolkit.DEMANDMULT, float(factors[second // STEP_S]))
        is_open = _open_and_close(project, second, area)
        toolkit.runH(project)
        if second % STEP_S == 0:  # pumps and tanks make steps of their own
            inflow = sum(sign * toolkit.getlinkvalue(project, main, toolkit.FLOW) for main, sign in mains)
            pressures = [round(toolkit.getnodevalue(project, node, toolkit.PRESSURE), 2) for node in nodes]
            at, inflow = BEGIN + timedelta(seconds=second), round(inflow, 2)
            yield [at, inflow, inflow if at.hour in NIGHT else "", *pressures, str(is_open).upper()]
        is_going_on = toolkit.nextH(project) > 0
    toolkit.closeH(project)


def _factors() -> Sequence[float]:
    """What all demands are multiplied by, for each step."""
    rng = np.random.default_rng(427)
    days = np.repeat(1 + BY_DAY * rng.standard_normal(DAYS), DAY_S // STEP_S)
    steps = np.zeros(len(days))
    for number, shock in enumerate(BY_STEP * rng.standard_normal(len(days) - 1), 1):
        steps[number] = KEPT * steps[number - 1] + shock
    return [float(factor) for factor in days * (1 + steps)]


def _open_and_close(project: Any, second: int, area: float) -> bool:
    """Set what each pipe loses now (m³/h for a pressure of 1 m); whether any is open."""
    lost: dict[str, float] = {pipe: 0.0 for pipe, _, _ in BURSTS}
    for pipe, day, times in BURSTS:
        if 0 <= second - day * DAY_S - DAY_S // 2 < DAY_S:
            lost[pipe] = DISCHARGE * area * times * float(np.sqrt(2 * GRAVITY)) * 3600
    for pipe, coefficient in lost.items():
        node, _ = toolkit.getlinknodes(project, toolkit.getlinkindex(project, pipe))
        toolkit.setnodevalue(project, node, toolkit.EMITTER, coefficient)
    return any(lost.values())
