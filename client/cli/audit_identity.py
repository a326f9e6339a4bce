"""The Regulator's auditor on this host: its key and certificates, what it trusts, and its connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from auditor.log.head import HeadSigner
from auditor.log.trust import TrustRoot, fingerprint
from auditor.members import Organisation
from auditor.replay.authority import Offices
from auditor.run import Roots
from client.connection import Profile
from client.home import home

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class AuditorIdentity:
    """Who signs for the Regulator, and the networks that it knows from their genesis blocks."""

    profile: Profile
    roots: Roots
    signer: HeadSigner
    regulator: Organisation
    trust: TrustRoot


def auditor_identity() -> AuditorIdentity:
    """Return the auditor of the connection profile at home; raises as `Profile.load` does."""
    offices = Offices()
    profile = Profile.load(home())
    genesis = {
        name: channel.genesis
        for name, channel in profile.channels.items()
        if name == "identity" or channel.chaincode == "arbitration"
    }
    org = profile.org(offices.regulator)
    credentials, root = org.identity("auditor"), org.roots["identity"].read_bytes()
    certificate: Certificate = x509.load_pem_x509_certificate(root)
    return AuditorIdentity(
        profile=profile,
        roots=Roots({name: bytes.fromhex(value) for name, value in genesis.items()}, offices),
        signer=HeadSigner.load(credentials.key.read_bytes(), (credentials.cert.read_bytes(), root)),
        regulator=Organisation(offices.regulator, (certificate,)),
        trust=TrustRoot(genesis, frozenset({fingerprint(certificate)})),
    )
