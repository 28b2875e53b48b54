"""Certificates for a broker that demands TLS, and for who calls it: made for one test run, valid for an hour.

Elliptic keys are used because they are made in a millisecond.
"""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(hours=1)
SKEW = datetime.timedelta(minutes=5)


class Authority:
    """Signs certificates; its own is in `file`.

    Parameters
    ----------
    name
        Its common name, the name of its files too.
    folder
        Where it writes what it makes.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        builder = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), True
        )
        self._certificate = builder.add_extension(usage, True).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, password: str | None = None, addresses: tuple[str, ...] = ()) -> tuple[Path, Path]:
        """Write a certificate and its key, PKCS 8 under a password if there is one; gives both files.

        Parameters
        ----------
        name
            Common name, and name of the files.
        password
            Of the key.
        addresses
            IP addresses a server answers on; a client has none.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_named(name), key)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False
        )
        if addresses:
            alternatives = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            protection = serialization.BestAvailableEncryption(password.encode())
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        for file, data in zip(files, (certificate, private), strict=True):
            file.write_bytes(data)
        return files

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        own, signer = x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + VALID)
            .add_extension(own.from_public_key(key.public_key()), False)
            .add_extension(signer.from_issuer_public_key(self._key.public_key()), False)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
