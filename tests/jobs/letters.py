"""A mail server of one's own, in this process."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tracker.cli.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

HOST = "127.0.0.1"


class Letterbox:
    """Keeps the letters that came, and refuses those to an address that it does not know."""

    url: str

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.unknown: set[str] = set()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address in self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """Return the letters to somebody."""
        return [letter for letter in self.letters if letter["To"] == address]


@contextmanager
def mail_server(**options: Any) -> Iterator[Letterbox]:
    """Give a letterbox, with a server at its URL that puts letters into it."""
    letterbox, port = Letterbox(), free_port(HOST)
    letterbox.url = f"smtp://{HOST}:{port}"
    controller = Controller(letterbox, hostname=HOST, port=port, **options)
    controller.start()
    try:
        yield letterbox
    finally:
        controller.stop()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server's side of TLS, with a certificate that it made for itself."""
    key, name = ed25519.Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, None)
    )
    file = folder / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context
