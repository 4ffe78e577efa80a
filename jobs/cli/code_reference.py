"""The table of codes in docs/contracts.md."""

from jobs.contracts.codes import Code, CodeGroup, entries

HEAD = ("code", "名称", "standard", "example", "valid value")


def code_rows() -> list[tuple[str, ...]]:
    """A row per code: name, Chinese name, standard, example, what is valid."""
    return [_row(name, entry) for name, entry in sorted(entries().items())]


def _row(name: str, entry: Code | CodeGroup) -> tuple[str, ...]:
    if isinstance(entry, CodeGroup):
        return f"`{name}`", entry.title, "", "", f"{entry.about} Checked with {_named(entry.of)}."
    about = f"{entry.about} Also checked with {_named(entry.also)}." if entry.also else entry.about
    return f"`{name}`", entry.title, entry.standard, f"`{entry.right[0]}`", about


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
