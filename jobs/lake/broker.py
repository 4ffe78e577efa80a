"""The Kafka broker as the lake's own clients use it: topics, a producer whose answers are durable, options for Spark."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jobs.errors import ServiceUnavailable
from jobs.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient

PARTITIONS = 2
MOST_BYTES = 1 << 20
"""Largest message; infra/kafka/server.properties says the same."""
LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="{}" password="{}";'


def topic(settings: Settings, dataset: str) -> str:
    """The topic of a dataset's readings."""
    return f"{settings.kafka_prefix}telemetry.{dataset}"


def alarms_topic(settings: Settings) -> str:
    """The topic of the alarms of all datasets."""
    return f"{settings.kafka_prefix}alarms"


def client_options(settings: Settings) -> dict[str, Any]:
    """Options of librdkafka; ServiceUnavailable where no broker is configured."""
    if not settings.kafka_servers:
        raise ServiceUnavailable("no Kafka broker is configured: run `lake up kafka`, or set LAKE_KAFKA_SERVERS")
    options = {"bootstrap.servers": settings.brokers(), "log_level": 0}
    if password := settings.kafka_password.get_secret_value():
        options |= {
            "security.protocol": settings.kafka_security,
            "sasl.mechanism": "PLAIN",
            "sasl.username": settings.kafka_user,
            "sasl.password": password,
        }
    return options


def spark_options(settings: Settings) -> Mapping[str, str]:
    """Options of Spark's Kafka source."""
    options = {"kafka.bootstrap.servers": settings.brokers()}
    if password := settings.kafka_password.get_secret_value():
        options |= {
            "kafka.security.protocol": settings.kafka_security,
            "kafka.sasl.mechanism": "PLAIN",
            "kafka.sasl.jaas.config": LOGIN.format(settings.kafka_user, password),
        }
    return options


def admin(settings: Settings) -> "AdminClient":
    """A client for topics."""
    from confluent_kafka.admin import AdminClient

    return AdminClient(client_options(settings))


def producer(settings: Settings, **options: Any) -> "Producer":
    """A producer whose acknowledgement means that every replica has the message, once."""
    from confluent_kafka import Producer

    return Producer({**client_options(settings), "enable.idempotence": True, "acks": "all", "linger.ms": 5, **options})


def ensure_topics(settings: Settings, names: Iterable[str], replicas: int = -1) -> None:
    """Create the topics that are missing; -1: as many replicas as the broker has by default."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

    client = admin(settings)
    known = client.list_topics(timeout=10).topics
    missing = [
        NewTopic(name, num_partitions=PARTITIONS, replication_factor=replicas) for name in names if name not in known
    ]
    for created in client.create_topics(missing).values() if missing else ():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def end_offsets(settings: Settings, topic: str) -> dict[int, int]:
    """The offset after the last message, by partition."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({**client_options(settings), "group.id": "lake-offsets", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=5).topics[topic].partitions
        return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions}
    finally:
        consumer.close()
