"""The object store, over the S3 protocol; bytes in, bytes out."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from jobs.errors import ServiceUnavailable
from jobs.settings import Settings

CHUNK = 1 << 20
AWAY = (ConnectionError, HTTPClientError)
PUT_IF_ABSENT = "system/put-if-absent"
"""Object that is put again and again, to see that the server refuses it."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class StoredObject:
    """One object in the bucket; size in bytes. `modified` (UTC) is when it was written."""

    key: str
    size: int
    etag: str
    modified: datetime = LONG_AGO


def _stored(item: dict[str, Any]) -> StoredObject:
    """An object as the server lists it."""
    return StoredObject(item["Key"], item["Size"], item["ETag"].strip('"'), item["LastModified"])


NO_STORE = "no S3 server is configured: run `lake up`, or set LAKE_S3_ENDPOINT / 未配置对象存储：请先运行 lake up，或设置 LAKE_S3_ENDPOINT"


class Store:
    """The lake's bucket."""

    def __init__(self, settings: Settings) -> None:
        if not settings.s3_endpoint:
            raise ServiceUnavailable(NO_STORE)
        self.bucket = settings.s3_bucket
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            aws_access_key_id=settings.s3_access_key,
            aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
            region_name=settings.s3_region,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 4, "mode": "standard"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def create(self) -> None:
        """Create the bucket; harmless where it exists."""
        try:
            self._s3.create_bucket(Bucket=self.bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise

    def remove(self) -> None:
        """Delete the bucket with all its objects."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for item in page.get("Contents", []):
                self.delete(item["Key"])
        self._s3.delete_bucket(Bucket=self.bucket)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Objects whose key begins with `prefix`, by key."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from map(_stored, page.get("Contents", []))

    def page(self, prefix: str, after: str = "") -> tuple[Sequence[StoredObject], bool]:
        """At most a thousand objects whose key begins with `prefix` and follows `after`, by one request; whether they are the last."""
        response = self._s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix, StartAfter=after)
        objects = [_stored(item) for item in response.get("Contents", [])]
        return objects, not (response["IsTruncated"] and objects)

    def folders(self, prefix: str) -> tuple[str, ...]:
        """Names of the folders directly under a prefix that ends with a slash, in order."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        keys = (item["Prefix"] for page in pages for item in page.get("CommonPrefixes", []))
        return tuple(sorted(key.removeprefix(prefix).rstrip("/") for key in keys))

    def head(self, key: str) -> StoredObject | None:
        """The object at `key`; None where there is none."""
        try:
            response = self._s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return StoredObject(key, response["ContentLength"], response["ETag"].strip('"'), response["LastModified"])

    def put_file(self, file: Path, key: str) -> None:
        """Upload a local file to `key`, multipart where it is large."""
        self._s3.upload_file(str(file), self.bucket, key)

    def put_bytes(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Write a small object."""
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def begin(self, key: str) -> "PartUpload":
        """A multipart upload to `key`; the object appears when it is completed."""
        begun = self._s3.create_multipart_upload(Bucket=self.bucket, Key=key)
        return PartUpload(self._s3, {"Bucket": self.bucket, "Key": key, "UploadId": begun["UploadId"]})

    def abort_uploads(self, before: datetime) -> int:
        """How many incomplete multipart uploads begun before the moment (UTC) were aborted."""
        aborted = 0
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket):
            for upload in page.get("Uploads", []):
                if upload["Initiated"] < before:
                    target = {"Bucket": self.bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
                    PartUpload(self._s3, target).abort()
                    aborted += 1
        return aborted

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes as a stream."""
        yield from self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].iter_chunks(CHUNK)

    def put_new(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> bool:
        """Write a small object if absent; False where one exists, which is not changed."""
        try:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in ("412", "PreconditionFailed"):
                return False
            raise
        return True

    def honours_put_if_absent(self) -> bool:
        """Whether the server refuses to put an object that exists, by trying: commits of tables rest on it."""
        self.put_new(PUT_IF_ABSENT, b"")
        return not self.put_new(PUT_IF_ABSENT, b"")

    def get_bytes(self, key: str) -> bytes:
        """The whole object, for small ones."""
        body: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def get_file(self, key: str, file: Path) -> None:
        """Stream an object to a local file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(self.bucket, key, str(file))

    def sha256(self, key: str) -> str:
        """SHA-256 of the object's bytes, in hex, read as a stream."""
        digest = hashlib.sha256()
        for chunk in self.chunks(key):
            digest.update(chunk)
        return digest.hexdigest()

    def delete(self, key: str) -> None:
        """Remove an object; harmless where there is none."""
        self._s3.delete_object(Bucket=self.bucket, Key=key)

    def copy(self, source: str, target: str) -> None:
        """Server-side copy within the bucket."""
        self._s3.copy({"Bucket": self.bucket, "Key": source}, self.bucket, target)


class PartUpload:
    """A multipart upload; each part but the last has at least 5 MiB. The object appears complete or not at all."""

    def __init__(self, s3: Any, target: dict[str, str]) -> None:
        self._s3, self._target = s3, target
        self._etags: list[str] = []

    def put(self, data: bytes) -> None:
        """Send the next part."""
        number = len(self._etags) + 1
        self._etags.append(self._s3.upload_part(**self._target, PartNumber=number, Body=data)["ETag"])

    def complete(self) -> None:
        """Complete the upload; the object appears."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(self._etags, 1)]
        self._s3.complete_multipart_upload(**self._target, MultipartUpload={"Parts": parts})

    def abort(self) -> None:
        """Abort the upload; its parts are deleted."""
        self._s3.abort_multipart_upload(**self._target)
