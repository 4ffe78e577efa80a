"""Forms with files, received: a delivery straight into the object store, an answer into a file that is removed afterwards."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import CancelScope, to_thread
from fastapi import Request

from jobs.errors import LakeError
from jobs.serving.portal.authentication import FIELD, CurrentUser, InvalidForm, check_csrf, portal_of
from jobs.serving.portal.multipart import FieldPart, FileStart, TooLarge, check_head, parts, safe_name
from jobs.serving.portal.services.incoming import Incoming
from jobs.serving.portal.services.upload_service import Uploaded, UploadService

logger = logging.getLogger(__name__)
MOST_FIELDS = 50
REPEATED = ("answers",)
"""Fields of which several may be marked; their values are gathered with blanks between."""

MOST_REPEATED = 4000
AROUND = 1 << 20
"""Bytes of a form in addition to its file."""

ANSWER_BYTES = 64 << 20


async def received(request: Request, user: CurrentUser, fields: dict[str, str]) -> Uploaded:
    """A completely received delivery; fills `fields`. After any failure, nothing of it remains."""
    service = UploadService(portal_of(request), user.actor)
    limit = (portal_of(request).settings.portal_upload_mib << 20) + AROUND
    file: Incoming | None = None
    async with _drained(request, limit) as stream:
        try:
            async for part in parts(stream, request.headers.get("content-type", "")):
                if isinstance(part, FieldPart):
                    _keep(fields, part)
                elif isinstance(part, FileStart):
                    _check_start(file is not None, fields, user)
                    file = await to_thread.run_sync(service.begin, fields, part.name)
                elif isinstance(part, bytes) and file is not None and file.take(part):
                    await to_thread.run_sync(file.send)
            if file is None:
                raise InvalidForm("请选择文件")
            return await to_thread.run_sync(service.finish, file)
        except BaseException:
            if file is not None:
                with CancelScope(shield=True):
                    await to_thread.run_sync(_abort, file)
            raise


@asynccontextmanager
async def received_file(request: Request, user: CurrentUser) -> AsyncIterator[Path]:
    """A smaller file, on disk during the block."""
    fields: dict[str, str] = {}
    target: Path | None = None
    with TemporaryDirectory(prefix="lake-answer-") as folder:
        async with _drained(request, ANSWER_BYTES + AROUND) as stream:
            async for part in parts(stream, request.headers.get("content-type", "")):
                if isinstance(part, FieldPart):
                    _keep(fields, part)
                elif isinstance(part, FileStart):
                    _check_start(target is not None, fields, user)
                    target = Path(folder) / safe_name(part.name)
                    target.touch()
                elif isinstance(part, bytes) and target is not None:
                    await to_thread.run_sync(_append, target, part)
            if target is None:
                raise InvalidForm("请选择文件")
            with target.open("rb") as file:
                check_head(target.name, file.read(16))
        yield target


def _append(target: Path, data: bytes) -> None:
    with target.open("ab") as stream:
        stream.write(data)
        if stream.tell() > ANSWER_BYTES:
            raise TooLarge(f"文件超过 {ANSWER_BYTES >> 20} MiB；较大的更正请通过「报送」上传")


def _keep(fields: dict[str, str], part: FieldPart) -> None:
    if len(fields) >= MOST_FIELDS:
        raise InvalidForm("表单的项目过多")
    earlier = fields.get(part.name, "")
    if len(earlier) > MOST_REPEATED:
        raise InvalidForm("选择的工单过多，请分次报送")
    fields[part.name] = f"{earlier} {part.value}" if part.name in REPEATED and earlier else part.value


def _check_start(has_file: bool, fields: dict[str, str], user: CurrentUser) -> None:
    """The CSRF token and all fields come before the file, so that no bytes are stored without them."""
    if has_file:
        raise InvalidForm("一次只能上传一个文件；多个文件请压缩成 zip")
    check_csrf(fields.get(FIELD, ""), user.token)


@asynccontextmanager
async def _drained(request: Request, limit: int) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body. Rejects a declared length above the limit at once; a body rejected for another reason is read to its end.

    A browser whose upload is cut off shows no answer, and so not the reason.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"文件超过 {(limit - AROUND) >> 20:,} MiB；请拆分或压缩后上传，或联系平台运维")
    stream = request.stream()
    try:
        yield stream
    except LakeError:
        left = limit
        async for chunk in stream:
            left -= len(chunk)
            if left < 0:
                break
        raise


def _abort(file: Incoming) -> None:
    """Abort the multipart upload; parts that remain are removed by the store's lifecycle rules."""
    try:
        file.upload.abort()
    except Exception as error:  # the reason for the abort matters more
        logger.warning("%s: parts of an incomplete upload remain at %s: %s", file.letter.contract.id, file.key, error)
