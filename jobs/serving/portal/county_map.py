"""Scores of counties → tiles of a schematic map: six-cornered, coloured by band, with name and score as text."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from jobs.reporting import GroupScore, figures

FILE = Path(__file__).parent / "counties.yaml"
RADIUS, MARGIN = 62, 8
WIDTH = round(RADIUS * math.sqrt(3), 1)
BANDS: tuple[tuple[float, str, str], ...] = (
    (98, "b5", "98 分及以上"),
    (95, "b4", "95–98"),
    (90, "b3", "90–95"),
    (80, "b2", "80–90"),
    (0, "b1", "80 分以下"),
)
NO_SCORE = ("b0", "尚无数据")


@dataclass(frozen=True)
class Tile:
    """A county's place on the map, in units of the drawing."""

    code: str
    name: str
    score: str
    band: str
    x: float
    y: float
    corners: str


@dataclass(frozen=True)
class CountyMap:
    """The drawing."""

    width: float
    height: float
    tiles: tuple[Tile, ...]


def county_map(scores: Mapping[str, GroupScore]) -> CountyMap:
    """The map of scores by county code or name."""
    tiles = tuple(_tile(county, scores.get(county["code"]) or scores.get(county["name"])) for county in _counties())
    right, low = max(t.x for t in tiles), max(t.y for t in tiles)
    return CountyMap(round(right + WIDTH / 2 + MARGIN, 1), round(low + RADIUS + MARGIN, 1), tiles)


def band(total: float | None) -> str:
    """The class that colours a score."""
    if total is None:
        return NO_SCORE[0]
    return next(name for least, name, _ in BANDS if total >= least)


def legend() -> list[tuple[str, str]]:
    """Classes with what they mean, best first."""
    return [*((name, words) for _, name, words in BANDS), NO_SCORE]


def _tile(county: Mapping[str, Any], group: GroupScore | None) -> Tile:
    x = round(MARGIN + WIDTH / 2 + county["column"] * WIDTH, 1)
    y = round(MARGIN + RADIUS + county["row"] * RADIUS * 1.5, 1)
    angles = [math.radians(60 * corner - 30) for corner in range(6)]
    corners = " ".join(f"{x + RADIUS * math.cos(a):.1f},{y + RADIUS * math.sin(a):.1f}" for a in angles)
    total = group.scores.total if group else None
    return Tile(county["code"], county["name"], figures.score(total), band(total), x, y, corners)


@lru_cache
def _counties() -> list[dict[str, Any]]:
    counties: list[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
    return counties
