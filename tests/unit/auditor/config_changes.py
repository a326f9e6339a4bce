"""Changes of a channel's configuration for tests, and what the verifier makes of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from auditor import protobuf as pb
from auditor.errors import ConfigurationError
from auditor.ledger import Ledger
from tests.unit.auditor.builder import BEGIN, END, Chain, Org, Signer
from tests.unit.auditor.config_builder import (
    anchor,
    block_validation,
    member,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Change = Callable[[pb.Message], object]

INSTITUTION = "InstitutionAMSP"
ORDERER = "/Channel/Orderer"
APPLICATION = "/Channel/Application"
ANOTHER = Org("another root")


def follow(chain: Chain) -> Ledger:
    ledger = Ledger(chain.channel, chain.genesis)
    for raw in chain.blocks:
        assert ledger.accept(raw).findings == ()
    return ledger


def refused(chain: Chain) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        follow(chain)
    assert error.value.step == 5
    return error.value


def invoke(chain: Chain) -> bytes:
    return chain.invoke(chain.network.person("AssociationMSP", "relay"), "arbitration", [b"SubmitBallots"])


def batch_size(root: pb.Message) -> None:
    size = pb.orderer_configuration.BatchSize(max_message_count=100)
    root.groups["Orderer"].values["BatchSize"].value = size.SerializeToString()


def anchor_peer(root: pb.Message) -> None:
    group = root.groups["Application"].groups[INSTITUTION]
    group.values["AnchorPeers"].value = anchor("elsewhere").SerializeToString()


def change_msp(name: str, change: Change, *, kinds: Sequence[str] = ("Application", "Orderer")) -> Change:
    def apply(root: pb.Message) -> None:
        for kind in kinds:
            entry = root.groups[kind].groups[name].values["MSP"]
            outer = pb.msp_config.MSPConfig.FromString(entry.value)
            msp = pb.msp_config.FabricMSPConfig.FromString(outer.config)
            change(msp)
            outer.config = msp.SerializeToString()
            entry.value = outer.SerializeToString()

    return apply


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def revocation(org: Org, *certificates: x509.Certificate) -> bytes:
    builder = x509.CertificateRevocationListBuilder(org.root.subject, BEGIN, END)
    for one in certificates:
        entry = x509.RevokedCertificateBuilder(one.serial_number, BEGIN + dt.timedelta(days=1)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(org.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def change_consenters(change: Change, *, policy: bool = True) -> Change:
    def apply(root: pb.Message) -> None:
        group = root.groups["Orderer"]
        orderers = pb.configuration.Orderers.FromString(group.values["Orderers"].value)
        change(orderers.consenter_mapping)
        group.values["Orderers"].value = orderers.SerializeToString()
        if policy:
            group.policies["BlockValidation"].policy.CopyFrom(block_validation(orderers))

    return apply


def add_member(org: Org, change: Change = lambda _: None, **options: Any) -> Change:
    def apply(root: pb.Message) -> None:
        group = member(org, **options)
        change(group)
        root.groups["Application"].groups[org.msp_id].CopyFrom(group)

    return apply


def signers(chain: Chain, *names: str) -> list[Signer]:
    return [chain.network.admins[name] for name in names or ("RegulatorMSP", "AssociationMSP")]


def endorsed_by_one(group: pb.Message) -> None:
    policy = one_of([(INSTITUTION, "PEER")])
    group.groups["Application"].policies["Endorsement"].policy.CopyFrom(policy)
