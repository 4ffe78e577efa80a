"""A YAML file that ships beside its module → its validated content."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from jobs.contracts.yaml_source import read

T = TypeVar("T")


def read_data(file: Path, model: type[T]) -> T:
    """The validated content; ContractError with file, line and path of the first mistake."""
    document = read(file)
    try:
        return TypeAdapter(model).validate_python(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        text = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise document.error(tuple(first["loc"]), text) from error
