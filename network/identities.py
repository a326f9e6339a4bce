"""Every certificate of the network, issued by the organizations' CAs; keys are made here and stay 0600."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.ca import CAClient, generate_key, key_to_pem
from network import authorities
from network.files import SECRET, write
from network.layout import certificate, private_key, tls_certificate, tls_key
from network.ports import LOOPBACK
from network.yaml import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from client.ca import Registrar
    from network.layout import Layout
    from network.ports import OrgPorts
    from network.topology import Org

ADMIN: Final = "admin"

# Fabric tells an organization's peers, orderers, admins and clients apart by the certificate's OU.
_NODE_OUS: Final = {
    "NodeOUs": {
        "Enable": True,
        **{
            f"{kind.title()}OUIdentifier": {"OrganizationalUnitIdentifier": kind}
            for kind in ("client", "peer", "admin", "orderer")
        },
    }
}


@dataclass(frozen=True, slots=True)
class _Authority:
    """One CA with its registrar."""

    client: CAClient
    registrar: Registrar
    root_pem: bytes

    def issue(
        self,
        name: str,
        kind: str,
        hosts: Sequence[str] = (),
        profile: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> tuple[bytes, bytes]:
        """Register and enrol; return certificate and key in PEM."""
        secret = self.registrar.register(
            name, secrets.token_urlsafe(24), kind=kind, attributes=attributes or {}
        )
        key = generate_key()
        wanted = tuple(attributes or ())
        enrollment = self.client.enroll(
            name, secret, key, hosts=hosts, profile=profile, attributes=wanted or None
        )
        return enrollment.cert_pem, key_to_pem(key)


def enrol(layout: Layout, org: Org, ports: OrgPorts) -> None:
    """Enrol all nodes and clients of one organization, whose CA server must be running.

    Raises `client.ca.CAError`.
    """
    secret = layout.registrar_secret(org).read_text(encoding="utf-8")
    tls_root = (layout.ca(org) / "ca-cert.pem").read_bytes()
    url = f"https://{LOOPBACK}:{ports.ca}"
    found: dict[str, _Authority] = {}
    try:
        for purpose, name in authorities.ca_names(org).items():
            client = CAClient(url, name, tls_root)
            key = generate_key()
            enrolled = client.enroll(authorities.REGISTRAR, secret, key)
            root_pem = client.info().chain_pem
            found[purpose] = _Authority(client, client.registrar(enrolled.cert_pem, key), root_pem)
            write(layout.root_certificate(org, purpose), root_pem)
        _enrol_all(layout, org, found["identity"], found["tls"])
    finally:
        for authority in found.values():
            authority.client.close()


def _enrol_all(layout: Layout, org: Org, identity: _Authority, tls: _Authority) -> None:
    roots = (identity.root_pem, tls.root_pem)
    _write_msp(layout.channel_msp(org), *roots)
    for name, kind, folder in (
        (org.peer, "peer", layout.peer(org)),
        (org.orderer, "orderer", layout.orderer(org)),
    ):
        _write_msp(folder / "msp", *roots)
        _write_pair(certificate(folder), private_key(folder), identity.issue(name, kind))
        hosts = (LOOPBACK, "localhost", name)
        _write_pair(tls_certificate(folder), tls_key(folder), tls.issue(name, kind, hosts, "tls"))
    admin = layout.identity(org, ADMIN)
    _write_msp(admin / "msp", *roots)
    _write_pair(certificate(admin), private_key(admin), identity.issue(f"{ADMIN}.{org.name}", "admin"))
    # An orderer's admin endpoint knows its administrator by a TLS client certificate.
    pair = tls.issue(f"{ADMIN}.{org.name}", "admin", (), "tls")
    _write_pair(tls_certificate(admin), tls_key(admin), pair)
    for role in org.roles:
        folder = layout.identity(org, role)
        _write_msp(folder / "msp", *roots)
        pair = identity.issue(f"{role}.{org.name}", "client", attributes={"role": role})
        _write_pair(certificate(folder), private_key(folder), pair)


def _write_msp(folder: Path, identity_root: bytes, tls_root: bytes) -> None:
    write(folder / "cacerts" / "ca.pem", identity_root)
    write(folder / "tlscacerts" / "ca.pem", tls_root)
    write(folder / "config.yaml", render(_NODE_OUS))


def _write_pair(certificate_path: Path, key_path: Path, pair: tuple[bytes, bytes]) -> None:
    write(certificate_path, pair[0])
    write(key_path, pair[1], SECRET)
