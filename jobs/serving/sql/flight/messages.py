"""Messages of Flight SQL, by the list in messages.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from jobs.errors import UserError

FILE = Path(__file__).parent / "messages.yaml"
SQL = "arrow.flight.protocol.sql"
MOST_BYTES = 1 << 20
"""Of a command, a ticket or the body of an action."""
TYPES = {name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}") for name in ("string", "bytes", "bool", "int32", "uint32")}  # fmt: skip


class Malformed(UserError):
    """What a client sent is no message of Flight SQL, or too long."""


class UnknownMessage(UserError):
    """A message that this server does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:80]} is not supported / 不支持 {name[:80]}")
        self.name = name


def unpacked(data: bytes) -> tuple[str, Any]:
    """The name and the fields of a message within google.protobuf.Any; Malformed, or UnknownMessage with its name."""
    packed = _parsed(Packed, data)
    package, _, name = packed.type_url.rpartition("/")[2].rpartition(".")
    if package != SQL:
        raise Malformed("no message of Flight SQL / 不是 Flight SQL 消息")
    return name, read(name, packed.value)


def packed(name: str, **fields: Any) -> bytes:
    """A message within google.protobuf.Any."""
    outer = Packed()
    outer.Pack(_classes()[name](**fields))
    return bytes(outer.SerializeToString())


def read(name: str, data: bytes) -> Any:
    """The fields of a message; Malformed, or UnknownMessage."""
    if name not in _classes():
        raise UnknownMessage(name)
    return _parsed(_classes()[name], data)


def written(name: str, **fields: Any) -> bytes:
    """A message as bytes."""
    return bytes(_classes()[name](**fields).SerializeToString())


def _parsed(kind: Any, data: bytes) -> Any:
    if len(data) > MOST_BYTES:
        raise Malformed(f"a message is longer than {MOST_BYTES:,} bytes / 消息太长")
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise Malformed("no message of Flight SQL / 不是 Flight SQL 消息") from None
    return message


@lru_cache
def _classes() -> dict[str, Any]:
    """Classes of the messages by name; made in a pool of their own, so that another copy of them in the process does no harm."""
    pool, names = DescriptorPool(), []
    for package, messages in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        described = [_described(name, fields) for name, fields in messages.items()]
        pool.Add(FileDescriptorProto(name=package, package=package, syntax="proto3", message_type=described))
        names += [(name, f"{package}.{name}") for name in messages]
    return {name: GetMessageClass(pool.FindMessageTypeByName(full)) for name, full in names}


def _described(name: str, fields: list[str]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for number, words in enumerate(fields, 1):
        *rule, kind, field = words.split()
        label = FieldDescriptorProto.LABEL_REPEATED if rule == ["repeated"] else FieldDescriptorProto.LABEL_OPTIONAL
        made = message.field.add(name=field, number=number, type=TYPES[kind], label=label)
        if rule == ["optional"]:  # proto3 shows in a group of its own whether the field was sent
            made.proto3_optional, made.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field}")
    return message
