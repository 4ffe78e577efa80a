"""A YAML file of the bureau's policy → its validated model; errors are in Chinese, with file, line and remedy."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.contracts.yaml_source import Document, PathKey, read
from jobs.errors import ContractError, PolicyError

KINDS = {"extra_forbidden": "不认识的键", "missing": "缺少必填项"}
M = TypeVar("M", bound=BaseModel)


class PolicyPart(BaseModel):
    """Base of the models of policy files: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_policy(file: Path, model: type[M], remedy: str) -> tuple[M, Document]:
    """The validated content of a file, and its document with line numbers; `remedy` ends the error messages."""
    if not file.is_file():
        raise PolicyError(f"{file}：没有这个文件；请核对路径")
    try:
        document = read(file)
    except ContractError as error:
        raise PolicyError(f"{error}；文件不是有效的 YAML，{remedy}") from error
    try:
        return model.model_validate(document.data), document
    except ValidationError as error:
        first = min(
            error.errors(), key=lambda e: e["type"] != "extra_forbidden"
        )  # a mistyped key is also a missing one
        reason = KINDS.get(first["type"]) or f"值不对（{first['msg']}）"
        raise mistake(document, tuple(first["loc"]), reason, remedy) from error


def mistake(document: Document, path: tuple[PathKey, ...], reason: str, remedy: str) -> PolicyError:
    """The error for the value at `path`."""
    where = ".".join(str(step) for step in path) or "整个文件"
    return PolicyError(f"{document.file}:{document.line(path)}（{where}）：{reason}；{remedy}")
