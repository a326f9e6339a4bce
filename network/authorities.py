"""Each organization's Fabric CA server: one process, several CAs, each with a root of its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from network.files import SECRET, write
from network.ports import LOOPBACK
from network.processes import Command
from network.yaml import render

if TYPE_CHECKING:
    from network.binaries import Binaries
    from network.layout import Layout
    from network.ports import OrgPorts
    from network.topology import Org

TLS_CA: Final = "tls-ca"
IDENTITY_CA: Final = "identity-ca"
LENDER_CA: Final = "lender-ca"
REGISTRAR: Final = "registrar"
_NODE_EXPIRY: Final = "26280h"  # three years; Fabric itself doesn't look at the end, TLS does
_ROOT_EXPIRY: Final = "131400h"


def ca_names(org: Org) -> dict[str, str]:
    """Return the organization's CAs by purpose: identity, tls, and lender where it has lenders."""
    names = {"identity": IDENTITY_CA, "tls": TLS_CA}
    return {**names, "lender": LENDER_CA} if org.lender_ca else names


def configure(layout: Layout, org: Org, ports: OrgPorts, listen: str = LOOPBACK) -> None:
    """Write the server's configuration and the registrar's new secret.

    The TLS CA is the server's default CA, because the server signs its own TLS certificate with that.
    """
    home = layout.ca(org)
    secret = secrets.token_urlsafe(24)
    write(layout.registrar_secret(org), secret, SECRET)
    others = [name for name in ca_names(org).values() if name != TLS_CA]
    server = {
        "address": listen,
        "port": ports.ca,
        "tls": {"enabled": True},
        "operations": {"listenAddress": f"{listen}:{ports.ca_operations}"},
        "metrics": {"provider": "disabled"},
        "cafiles": [f"{name}/fabric-ca-server-config.yaml" for name in others],
        **_ca(org, TLS_CA, secret, listen),
    }
    write(home / "fabric-ca-server-config.yaml", render(server), SECRET)
    for name in others:
        write(home / name / "fabric-ca-server-config.yaml", render(_ca(org, name, secret, listen)), SECRET)


def command(layout: Layout, binaries: Binaries, org: Org, ports: OrgPorts) -> Command:
    """Return how the server is started."""
    return Command(
        node=org.ca,
        argv=(binaries.program("fabric-ca-server"), "start", "--home", str(layout.ca(org))),
        env={},
        ports=(ports.ca, ports.ca_operations),
    )


def _ca(org: Org, name: str, secret: str, host: str) -> dict[str, object]:
    return {
        "ca": {"name": name},
        "registry": {
            "maxenrollments": -1,
            "identities": [
                {
                    "name": REGISTRAR,
                    "pass": secret,
                    "type": "client",
                    "affiliation": "",
                    "attrs": {
                        "hf.Registrar.Roles": "*",
                        "hf.Registrar.DelegateRoles": "*",
                        "hf.Registrar.Attributes": "*",
                        "hf.Revoker": True,
                        "hf.GenCRL": True,
                        "hf.IntermediateCA": False,
                        "hf.AffiliationMgr": True,
                    },
                }
            ],
        },
        "db": {"type": "sqlite3", "datasource": "fabric-ca-server.db"},
        "signing": {
            "default": {"usage": ["digital signature"], "expiry": _NODE_EXPIRY},
            "profiles": {
                "tls": {
                    "usage": ["signing", "key encipherment", "server auth", "client auth", "key agreement"],
                    "expiry": _NODE_EXPIRY,
                }
            },
        },
        "csr": {
            "cn": f"{name}.{org.name}",
            "keyrequest": {"algo": "ecdsa", "size": 256},
            "names": [{"O": org.title}],
            "hosts": [host, "localhost", org.ca],
            # Roots sign directly here; a production root stays offline and signs intermediates.
            "ca": {"expiry": _ROOT_EXPIRY, "pathlength": 0, "pathlenzero": True},
        },
    }
