"""Who opens a connection: by token (SCRAM-SHA-256, RFC 7677), or over TLS by token or password."""

import hashlib
import hmac
import re
import secrets
from base64 import b64decode
from binascii import Error as Base64Error

from jobs.serving.accounts import LoginRefused
from jobs.serving.sql.logins import REFUSED, Logins, Session
from jobs.serving.sql.tokens import ITERATIONS, encoded, salt_of
from jobs.serving.sql.wire.messages import Connection, ProtocolError, Reader, int32, text

SCRAM = "SCRAM-SHA-256"


class WireLogins(Logins):
    """Opens connections by the messages of PostgreSQL's protocol."""

    def opened(self, connection: Connection, user: str, is_tls: bool, place: str) -> Session:
        """The login of a new connection; LoginRefused, with one message for every reason."""
        name = user.strip().lower()
        if is_tls:
            return self._by_words(connection, name, place)
        return self._by_scram(connection, name)

    def _by_words(self, connection: Connection, name: str, place: str) -> Session:
        """A token or a password as it is; TLS keeps it secret."""
        connection.write("R", int32(3))
        connection.flush()
        return self.by_words(name, _answer(connection).text(), place)

    def _by_scram(self, connection: Connection, name: str) -> Session:
        connection.write("R", int32(10), text(SCRAM), b"\0")
        connection.flush()
        reader = _answer(connection)
        if reader.text() != SCRAM:
            raise LoginRefused(REFUSED)
        header, bare, client_nonce = _first(reader.value() or b"")
        nonce = client_nonce + secrets.token_urlsafe(18)
        first = f"r={nonce},s={encoded(salt_of(name))},i={ITERATIONS}"
        connection.write("R", int32(11), first.encode())
        connection.flush()
        final = _answer(connection).data.decode("ascii", "replace")
        without_proof, _, proof = final.rpartition(",p=")
        if without_proof != f"c={encoded(header.encode())},r={nonce}":
            raise LoginRefused(REFUSED)
        return self._proven(connection, name, f"{bare},{first},{without_proof}".encode(), _decoded(proof))

    def _proven(self, connection: Connection, name: str, message: bytes, proof: bytes) -> Session:
        """The token of which the client has proved that it knows it; there is none for an unknown user."""
        tokens = self.tokens()
        for verifier in tokens.verifiers(name, self.now()):
            signature = hmac.digest(verifier.stored_key, message, "sha256")
            client_key = bytes(a ^ b for a, b in zip(signature, proof.ljust(32, b"\0"), strict=False))
            if len(proof) == 32 and hmac.compare_digest(hashlib.sha256(client_key).digest(), verifier.stored_key):
                own = encoded(hmac.digest(verifier.server_key, message, "sha256"))
                connection.write("R", int32(12), f"v={own}".encode())
                tokens.used(verifier.id, self.now())
                return Session(verifier.account, verifier.id)
        raise LoginRefused(REFUSED)


def _answer(connection: Connection) -> Reader:
    letter, reader = connection.read()
    if letter != "p":
        raise ProtocolError("a password message is expected")
    return reader


def _first(data: bytes) -> tuple[str, str, str]:
    """Header, bare message and nonce of the client's first message; without channel binding."""
    found = re.fullmatch(r"([ny],(?:a=[^,]*)?,)(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+))", data.decode("utf-8", "replace"))
    if found is None:
        raise LoginRefused(REFUSED)
    return found[1], found[2], found[3]


def _decoded(proof: str) -> bytes:
    try:
        return b64decode(proof, validate=True)
    except (Base64Error, ValueError):
        return b""
