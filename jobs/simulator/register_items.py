"""What the demo city registers of what it makes of its data."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def register_items() -> Mapping[str, Any]:
    """The items, and how many of them stay on their way."""
    found: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return found
