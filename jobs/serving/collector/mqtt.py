"""Readings that devices publish by MQTT 5 or 3.1.1 → the broker; a message is acknowledged once the broker has it durably.

The topic names the dataset: `telemetry/<provider>/<dataset>`, with or without `/<device>` after it. Who may publish where is
for the MQTT server to say. What names no dataset with a stream goes to the topic `telemetry.unrouted` as it is: nothing is lost.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from jobs.contracts import Contract, Registry
from jobs.contracts.telemetry import telemetry
from jobs.errors import UserError
from jobs.lake.broker import topic
from jobs.serving.collector.readings import MOST_BODY, MOST_READING, Rejected, SentReading, readings
from jobs.settings import Settings

logger = logging.getLogger(__name__)
VERSIONS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
PORTS = {"mqtt": 1883, "mqtts": 8883}
QOS = 1
KEPT_S = 7 * 86_400
"""So long the MQTT server keeps messages for a bridge that does not run."""
MOST_WAITING = 1000
POLL_S, PAUSE_S, FLUSH_S = 0.1, 2.0, 10.0
NUMBER = "id"
"""User property of MQTT 5: the sender's own number of a message."""
UNROUTED = "unrouted"


class Bridge:
    """Takes messages from an MQTT server; `producer` puts them into the broker."""

    def __init__(self, settings: Settings, registry: Callable[[], Registry], producer: Any) -> None:
        self._settings, self._registry, self._producer = settings, registry, producer
        self._lost = threading.Event()

    def run(self, stop: threading.Event, pause_s: float = PAUSE_S) -> None:
        """Bridge until `stop` is set; what the broker did not take comes again with the next connection."""
        while not stop.is_set():
            self._lost.clear()
            client = self._connected()
            while client is not None and not stop.is_set() and not self._lost.is_set():
                self._producer.poll(POLL_S)
            if client is not None:
                self._producer.flush(FLUSH_S)
                client.disconnect()
                client.loop_stop()
            stop.wait(pause_s)

    def _connected(self) -> Client | None:
        """A client in its session, which the server keeps while nobody is connected; None where no server answers."""
        url, is_5 = urlsplit(self._settings.mqtt_url), self._settings.mqtt_version == "5"
        if url.scheme not in PORTS or not url.hostname:
            raise UserError("LAKE_MQTT_URL is not like mqtt://user@host:1883 or mqtts://host")
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.mqtt_client,
            clean_session=None if is_5 else False,
            protocol=VERSIONS[self._settings.mqtt_version],
            manual_ack=True,
        )
        if url.username:
            client.username_pw_set(unquote(url.username), self._settings.mqtt_password.get_secret_value() or None)
        if url.scheme == "mqtts":
            client.tls_set(_authority(self._settings))
        client.on_connect = self._subscribe
        client.on_disconnect = lambda *_: self._lost.set()
        client.on_message = lambda _client, _data, message: self._take(client, message)
        port = url.port or PORTS[url.scheme]
        try:
            if is_5:
                client.connect(url.hostname, port, clean_start=False, properties=_kept())
            else:
                client.connect(url.hostname, port)
        except OSError as error:
            logger.warning("the MQTT server does not answer: %s", error)
            return None
        client.loop_start()
        return client

    def _subscribe(self, client: Client, *_: Any) -> None:
        client.subscribe(self._settings.mqtt_topics, QOS)

    def _take(self, client: Client, message: MQTTMessage) -> None:
        """Put a message's readings into the broker, and acknowledge the message when all are stored."""
        waiting = _Waiting(partial(self._stored, client, message.mid, message.qos))
        target, sent = self._routed(message)
        waiting.left = len(sent)
        for number, reading in enumerate(sent, 1):
            headers = _headers(message, number)
            try:
                self._producer.produce(
                    target, reading.value, key=reading.device.encode() or None, headers=headers, on_delivery=waiting.one
                )
            except Exception as error:  # a full queue, or a message that the broker never takes
                logger.warning("topic %s: not taken: %s", message.topic, error)
                waiting.one(error, None)

    def _stored(self, client: Client, mid: int, qos: int, error: Any) -> None:
        if error is None:
            client.ack(mid, qos)
        else:
            logger.warning("the broker did not store a message, which is asked for again: %s", error)
            self._lost.set()

    def _routed(self, message: MQTTMessage) -> tuple[str, list[SentReading]]:
        """The broker's topic, and the readings; what is no JSON stays in one piece, for the lake to name it."""
        contract = next(self._contracts(message.topic), None)
        payload = bytes(message.payload)
        if contract is None or contract.stream is None or len(payload) > MOST_BODY:
            logger.warning("topic %s: %s bytes go to topic %s", message.topic, len(payload), UNROUTED)
            return topic(self._settings, UNROUTED), _pieces(payload)
        device = next(f for f in telemetry(contract).fields if f.name == contract.stream.device)
        try:
            return topic(self._settings, contract.id), readings(payload, device.headers())
        except Rejected as error:
            logger.info("topic %s: %s", message.topic, error.reason)
            whole = len(payload) <= MOST_READING
            return topic(self._settings, contract.id if whole else UNROUTED), _pieces(payload)

    def _contracts(self, path: str) -> Iterator[Contract]:
        """The contract that a topic names by provider and dataset."""
        names = path.split("/")
        for contract in self._registry().streams():
            if [contract.provider, contract.id] in (names[-2:], names[-3:-1]):
                yield contract


class _Waiting:
    """Counts the acknowledgements of one message's readings; `done` is called with the first error, or None."""

    def __init__(self, done: Callable[[Any], None]) -> None:
        self._done, self.left, self._error = done, 0, None

    def one(self, error: Any, _message: Any) -> None:
        """Of one reading; called from the thread that polls the producer."""
        self._error = self._error or error
        self.left -= 1
        if not self.left:
            self._done(self._error)


def _pieces(payload: bytes) -> list[SentReading]:
    """The bytes in messages that the broker takes, in their order."""
    starts = range(0, max(1, len(payload)), MOST_READING)
    return [SentReading(payload[start : start + MOST_READING], "") for start in starts]


def _authority(settings: Settings) -> str | None:
    """The file of the certificate by which the server's is checked; None: those that this machine trusts."""
    if settings.mqtt_ca is None:
        return None
    if not settings.mqtt_ca.is_file():
        raise UserError(f"LAKE_MQTT_CA: no file {settings.mqtt_ca} / 找不到 LAKE_MQTT_CA 指定的证书文件")
    return str(settings.mqtt_ca)


def _kept() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = KEPT_S
    properties.ReceiveMaximum = MOST_WAITING
    return properties


def _headers(message: MQTTMessage, number: int) -> dict[str, str]:
    """Sender and number of a reading; the topic's second level is the sender."""
    sender = {"sender": message.topic.split("/")[1] if "/" in message.topic else message.topic}
    given = dict(getattr(message.properties, "UserProperty", ()) or ())
    return sender | ({"id": f"{given[NUMBER]}/{number}"} if given.get(NUMBER) else {})
