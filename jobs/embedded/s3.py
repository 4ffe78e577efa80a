"""The S3 server: S3Proxy over a folder of the home."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from string import Template
from typing import Any

from jobs.embedded.jars import ensure_jars
from jobs.embedded.java import LATE_C2, find_java
from jobs.embedded.program import Program
from jobs.embedded.service import Say, Service
from jobs.errors import SetupError
from jobs.settings import PROJECT, Settings

_CONFIG = PROJECT / "infra" / "s3"


@contextmanager
def _client(settings: Settings) -> Iterator[Any]:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        region_name=settings.s3_region,
        config=Config(
            connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}
        ),
    )
    try:
        yield client
    finally:
        client.close()


def probe(settings: Settings) -> None:
    """A signed request; raises unless the server accepts our credentials and, where the lake's bucket exists, honours
    `If-None-Match`.
    """
    with _client(settings) as client:
        buckets = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    if settings.s3_bucket in buckets and not _honours_put_if_absent(settings):
        raise SetupError("the object store ignores If-None-Match / 对象存储不支持条件写入")


def _honours_put_if_absent(settings: Settings) -> bool:
    from jobs.lake.store import Store

    return Store(settings).honours_put_if_absent()


def make_bucket(settings: Settings) -> None:
    """Create the lake's bucket unless it is there."""
    with _client(settings) as client:
        try:
            client.head_bucket(Bucket=settings.s3_bucket)
        except client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            client.create_bucket(Bucket=settings.s3_bucket)


def prepare(settings: Settings, say: Say) -> None:
    ensure_jars(settings, say)
    (settings.home / "s3").mkdir(exist_ok=True)


def programs(settings: Settings) -> tuple[Program, ...]:
    config = settings.home / "run" / "s3proxy.conf"
    values = {
        "endpoint": settings.s3_endpoint,
        "access_key": settings.s3_access_key,
        "secret_key": settings.s3_secret_key.get_secret_value(),
        "folder": str(settings.home / "s3"),
    }
    command = (
        find_java(), "-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", *LATE_C2,
        f"-Dlogback.configurationFile={_CONFIG / 'logback.xml'}",
        "-cp", f"{ensure_jars(settings, lambda _: None)}/s3/*",
        "org.gaul.s3proxy.Main", "--properties", str(config),
    )  # fmt: skip
    text = Template((_CONFIG / "s3proxy.conf").read_text(encoding="utf-8")).substitute(values)
    return (Program("s3", command, settings.s3_endpoint, partial(probe, settings), files={config: text}),)


SERVICE = Service("s3", {"s3": probe}, lambda settings: settings.s3_endpoint, prepare, programs, make_bucket)
