"""The Kafka broker: readings of devices wait here until the stream has them in the lake."""

import shutil
from functools import partial
from string import Template
from urllib.parse import urlsplit

from jobs.embedded.jars import ensure_jars
from jobs.embedded.java import LATE_C2, find_java
from jobs.embedded.program import Program
from jobs.embedded.service import Say, Service
from jobs.errors import SetupError
from jobs.settings import PROJECT, Settings

_CONFIG = PROJECT / "infra" / "kafka"
LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="{0}" password="{1}" user_{0}="{1}";'


def probe(settings: Settings) -> None:
    """Raise unless the broker accepts our login and says who leads."""
    from jobs.lake.broker import admin

    admin(settings).list_topics(timeout=5)


def prepare(settings: Settings, say: Say) -> None:
    """The jars, and the folder of the broker's log."""
    ensure_jars(settings, say)
    if shutil.which("sh") is None:
        raise SetupError("the Kafka broker is started by a shell script; `sh` is missing / 缺少 sh")
    (settings.home / "kafka").mkdir(exist_ok=True)


def programs(settings: Settings) -> tuple[Program, ...]:
    """The broker, which is its own controller."""
    config = settings.home / "run" / "kafka.properties"
    folder = settings.home / "kafka" / "log"
    address, controller = urlsplit(settings.kafka_servers), urlsplit(settings.kafka_controller)
    values = {
        "host": str(address.hostname),
        "port": str(address.port),
        "controller_port": str(controller.port),
        "login": LOGIN.format(settings.kafka_user, settings.kafka_password.get_secret_value()),
        "folder": str(folder),
    }
    command = (
        "sh", str(_CONFIG / "start-broker.sh"), str(config), str(folder),
        find_java(), "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", *LATE_C2,
        f"-Dlog4j2.configurationFile={_CONFIG / 'log4j2.properties'}",
        "-cp", f"{ensure_jars(settings, lambda _: None)}/kafka/*",
    )  # fmt: skip
    text = Template((_CONFIG / "server.properties").read_text(encoding="utf-8")).substitute(values)
    return (Program("kafka", command, settings.kafka_servers, partial(probe, settings), files={config: text}),)


def make_topics(settings: Settings) -> None:
    """The topics of the contracts that have a stream, and that of alarms."""
    from jobs.contracts import load_usable
    from jobs.lake.broker import alarms_topic, ensure_topics, topic

    streams = load_usable(settings.schemas, settings.expectations).streams()
    ensure_topics(settings, [*(topic(settings, contract.id) for contract in streams), alarms_topic(settings)])


SERVICE = Service("kafka", {"kafka": probe}, lambda settings: settings.kafka_servers, prepare, programs, make_topics)
