"""Arrow without pandas, for a command that reads one file and ends.

Arrow imports pandas with its first array, only to tell data frames from lists. That takes a second, half the time of
such a command. Not for a process that lives on: its Arrow tables cannot become data frames any more.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def keep_pandas_out() -> None:
    """Let Arrow look for pandas, once as it does, and not find it; nothing where pandas is imported already."""
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)
