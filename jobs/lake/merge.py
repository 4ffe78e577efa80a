"""How rows merge into a table by key."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Merge:
    """How rows merge with existing ones: by key; the latest wins, or the first.

    The latest is the one that arrived last; or, with `newer`, any one but those deliveries.

    Existing rows of `replaced` deliveries, and of an earlier attempt of the delivery `retried`, are updated or deleted.
    The column `earliest` takes the smaller of both values.
    """

    key: tuple[str, ...]
    latest_wins: bool
    replaced: tuple[str, ...] = ()
    retried: str = ""
    earliest: str = ""
    newer: tuple[str, ...] | None = None

    def sql(self, target: str, source: str, columns: Sequence[str]) -> str:
        on_key = " AND ".join(f"t.`{k}` <=> s.`{k}`" for k in self.key)
        removed = tuple(d for d in (self.retried, *self.replaced) if d)
        updates = self._update_conditions(removed)
        sets = ", ".join(f"t.`{c}` = {self._value(c)}" for c in columns)
        names = ", ".join(f"`{c}`" for c in columns)
        values = ", ".join(f"s.`{c}`" for c in columns)
        lines = [f"MERGE INTO {target} t USING {source} s ON {on_key}"]
        if updates:
            lines.append(f"WHEN MATCHED AND ({' OR '.join(updates)}) THEN UPDATE SET {sets}")
        lines.append(f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})")
        if removed:
            lines.append(f"WHEN NOT MATCHED BY SOURCE AND t._delivery IN ({quoted_list(removed)}) THEN DELETE")
        return "\n".join(lines)

    def _update_conditions(self, removed: tuple[str, ...]) -> list[str]:
        """When a new row updates an existing one; any of these."""
        updates = [f"t._delivery IN ({quoted_list(removed)})"] if removed else []
        if not self.latest_wins:
            return updates
        if self.newer is None:
            return [*updates, "s._seq >= t._seq"]
        return [*updates, f"t._delivery NOT IN ({quoted_list(self.newer)})" if self.newer else "true"]

    def _value(self, column: str) -> str:
        return f"least(t.`{column}`, s.`{column}`)" if column == self.earliest else f"s.`{column}`"


def quoted_list(names: Sequence[str]) -> str:
    """The names as a list in SQL."""
    return ", ".join(f"'{name}'" for name in names)
