"""The certificate of the TLS server and its CA. The key of the CA is not stored, so it cannot sign others."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from modelarts.local.files import write

LIFETIME = timedelta(days=397)
RENEW_BEFORE = timedelta(days=30)
_ADDRESS = ipaddress.ip_address("127.0.0.1")


@attrs.frozen
class Certificates:
    """Files in one folder: the CA that clients trust, and the certificate of the server with its key."""

    ca: Path
    server: Path

    @classmethod
    def of(cls, folder: Path) -> Certificates:
        return cls(folder / "ca.pem", folder / "server.pem")


def ensure(folder: Path, now: datetime | None = None) -> Certificates:
    """The certificates of a folder; new ones if they are missing, do not match each other or expire soon."""
    files = Certificates.of(folder)
    now = now or datetime.now(timezone.utc)
    if not _is_valid(files, now):
        ca, server = _create(now)
        write(files.ca, ca)
        write(files.server, server)
    return files


def _is_valid(files: Certificates, now: datetime) -> bool:
    try:
        server = x509.load_pem_x509_certificate(files.server.read_bytes())
        server.verify_directly_issued_by(x509.load_pem_x509_certificate(files.ca.read_bytes()))
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return server.not_valid_before_utc <= now < server.not_valid_after_utc - RENEW_BEFORE


def _create(now: datetime) -> tuple[bytes, bytes]:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name("modelarts local service CA")
    authority_key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    names = [x509.DNSName("localhost"), x509.IPAddress(_ADDRESS)]
    allowed_names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network(_ADDRESS))]
    ca = (
        _builder(issuer, issuer, ca_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_ca=True), critical=True)
        .add_extension(x509.NameConstraints(allowed_names, None), critical=True)
        .add_extension(authority_key_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    server = (
        _builder(_name("modelarts local service"), issuer, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(authority_key_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca.public_bytes(pem), server.public_bytes(pem) + private


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # the clocks of containers may differ
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=is_ca, crl_sign=is_ca,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
