"""An MQTT server on a free port of this machine, with or without TLS, and messages to it."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

HOST = "127.0.0.1"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
NEEDS_MOSQUITTO = pytest.mark.skipif(not Path(MOSQUITTO).exists(), reason="needs mosquitto")
PATIENCE_S = 30
TRIES = 200


@contextmanager
def mqtt_server(folder: Path, certificate: Path | None = None) -> Iterator[int]:
    """Its port while it runs; with a certificate (and its key in one file), over TLS."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        number = int(free.getsockname()[1])
    # Started by root, it would read the certificate as another user, who cannot enter the folder of the test.
    lines = ["user root", f"listener {number} {HOST}", "allow_anonymous true", "message_size_limit 0"]
    lines += [f"certfile {certificate}", f"keyfile {certificate}"] if certificate else []
    config = folder / f"mosquitto-{number}.conf"
    config.write_text("\n".join(lines) + "\n")
    server = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(TRIES):
            try:
                socket.create_connection((HOST, number), 1).close()
                break
            except OSError:
                threading.Event().wait(0.05)
        yield number
    finally:
        server.terminate()
        server.wait(10)


def self_signed(file: Path) -> Path:
    """A certificate for this machine with its key, signed by itself, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return file


def publish(
    port: int, messages: list[tuple[str, bytes]], version: str = "5", number: str = "", ca: Path | None = None
) -> None:
    """Publish messages with QoS 1, and wait until the server has them; `ca`: over TLS."""
    protocol = MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311
    client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
    if ca is not None:
        client.tls_set(str(ca), tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.connect(HOST, port)
    client.loop_start()
    properties = None
    if number:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = ("id", number)
    for topic, payload in messages:
        client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()
