"""What the channels' configuration says, and that peers hold transactions to it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common import common_pb2, configtx_pb2, policies_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2, msp_principal_pb2
from fabric_protos.peer import proposal_response_pb2, transaction_pb2

from client.gateway import ecdsa_signer, sha256
from network import binaries
from network.layout import certificate, private_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

DRILL = "drill"
"""The identity chaincode under another name, so that these tests' records are in nobody's way."""


@pytest.fixture(scope="module")
def drill(network: LiveNetwork) -> str:
    program = binaries.chaincodes(network.cluster.topology.chaincodes)["identity"]
    network.deploy_chaincode(DRILL, program, "identity")
    return DRILL


def channel_group(network: LiveNetwork, channel: str) -> Any:
    path = network.home / "network" / "channels" / channel / "genesis.block"
    block: Any = common_pb2.Block.FromString(path.read_bytes())  # type: ignore[attr-defined]
    envelope: Any = common_pb2.Envelope.FromString(block.data.data[0])  # type: ignore[attr-defined]
    payload: Any = common_pb2.Payload.FromString(envelope.payload)  # type: ignore[attr-defined]
    return configtx_pb2.ConfigEnvelope.FromString(payload.data).config.channel_group  # type: ignore[attr-defined]


def rule(policy: Any) -> str:
    """A policy in words: `2 of (AssociationMSP.PEER, …)`, or `ANY Readers`."""
    kinds: Any = policies_pb2.Policy.PolicyType  # type: ignore[attr-defined]
    if policy.policy.type == kinds.Value("IMPLICIT_META"):
        meta: Any = policies_pb2.ImplicitMetaPolicy.FromString(policy.policy.value)  # type: ignore[attr-defined]
        return f"{meta.Rule.Name(meta.rule)} {meta.sub_policy}"
    envelope: Any = policies_pb2.SignaturePolicyEnvelope.FromString(policy.policy.value)  # type: ignore[attr-defined]

    def text(node: Any) -> str:
        if node.WhichOneof("Type") == "signed_by":
            return principal(envelope.identities[node.signed_by])
        return f"{node.n_out_of.n} of ({', '.join(text(child) for child in node.n_out_of.rules)})"

    return text(envelope.rule)


def principal(found: Any) -> str:
    role: Any = msp_principal_pb2.MSPRole  # type: ignore[attr-defined]
    if found.principal_classification == msp_principal_pb2.MSPPrincipal.Classification.Value("IDENTITY"):  # type: ignore[attr-defined]
        identity: Any = identities_pb2.SerializedIdentity.FromString(found.principal)  # type: ignore[attr-defined]
        return f"{identity.mspid} itself"
    parsed = role.FromString(found.principal)
    return f"{parsed.msp_identifier}.{role.MSPRoleType.Name(parsed.role)}"


@pytest.mark.parametrize("channel", ["identity", "arbitration-institutiona"])
def test_genesis_holds_exactly_the_designs_policies(network: LiveNetwork, channel: str) -> None:
    group = channel_group(network, channel)
    application, orderer = group.groups["Application"], group.groups["Orderer"]
    administration = "2 of (RegulatorMSP.ADMIN, 1 of (AssociationMSP.ADMIN, ArbitrationMSP.ADMIN))"
    common = {"Readers": "ANY Readers", "Writers": "ANY Writers", "Admins": administration}
    assert {name: rule(policy) for name, policy in group.policies.items()} == common
    assert {name: rule(policy) for name, policy in application.policies.items()} == {
        **common,
        "Endorsement": "2 of (AssociationMSP.PEER, RegulatorMSP.PEER, ArbitrationMSP.PEER)",
        "LifecycleEndorsement": "2 of (RegulatorMSP.PEER, 1 of (AssociationMSP.PEER, ArbitrationMSP.PEER))",
    }
    assert {name: rule(policy) for name, policy in orderer.policies.items()} == {
        **common,
        "BlockValidation": (
            "3 of (AssociationMSP itself, InstitutionAMSP itself, RegulatorMSP itself, ArbitrationMSP itself)"
        ),
    }
    members = {"AssociationMSP", "InstitutionAMSP", "RegulatorMSP", "ArbitrationMSP"}
    assert set(application.groups) == set(orderer.groups) == members
    for msp, org in application.groups.items():
        assert {name: rule(policy) for name, policy in org.policies.items()} == {
            "Readers": f"1 of ({msp}.MEMBER)",
            "Writers": f"1 of ({msp}.ADMIN, {msp}.CLIENT)",
            "Admins": f"1 of ({msp}.ADMIN)",
            "Endorsement": f"1 of ({msp}.PEER)",
        }


def everything_modifiable_is_under_admins(group: Any) -> bool:
    values = [*group.values.values(), *group.policies.values()]
    return all(value.mod_policy in {"Admins", "/Channel/Orderer/Admins"} for value in values) and all(
        everything_modifiable_is_under_admins(child) for child in group.groups.values()
    )


@pytest.mark.parametrize("channel", ["identity", "arbitration-institutiona"])
def test_whatever_changes_the_channel_goes_through_admins(network: LiveNetwork, channel: str) -> None:
    assert everything_modifiable_is_under_admins(channel_group(network, channel))


def test_both_chaincodes_are_held_to_the_channels_endorsement_policy(network: LiveNetwork) -> None:
    with network.profile.gateway("RegulatorMSP", "admin") as gateway:
        for name, channel in network.profile.channels.items():
            lifecycle = gateway.network(name).contract("_lifecycle")
            # QueryChaincodeDefinitionArgs{name}: field 1, a string
            definition = lifecycle.evaluate(
                "QueryChaincodeDefinition", bytes([10, len(channel.chaincode)]) + channel.chaincode.encode()
            )
            assert b"/Channel/Application/Endorsement" in definition


def root_of_somebody(network: LiveNetwork) -> str:
    root = x509.load_pem_x509_certificate(network.profile.org("InstitutionAMSP").roots["lender"].read_bytes())
    return base64.b64encode(root.public_bytes(Encoding.DER)).decode()


def submit_endorsed_by(network: LiveNetwork, orgs: Sequence[str]) -> tuple[str, str]:
    """Submit a proposal of an issuer with endorsements of just these organizations' peers.

    Each endorsement is made with the peer's own key, so nothing but the policy can object.
    Returns the transaction's id and its validation code's name.
    """
    document = {"v": 1, "institution": "InstitutionAMSP", "certificate": root_of_somebody(network)}
    profile, cluster = network.profile, network.cluster
    with profile.gateway("InstitutionAMSP", "officer") as gateway:
        proposal = (
            gateway.network("identity")
            .contract(DRILL)
            .new_proposal("ProposeIssuer", arguments=[json.dumps(document)])
        )
        prepared: Any = gateway_pb2.PreparedTransaction.FromString(proposal.endorse().to_bytes())  # type: ignore[attr-defined]
        payload: Any = common_pb2.Payload.FromString(prepared.envelope.payload)  # type: ignore[attr-defined]
        transaction: Any = transaction_pb2.Transaction.FromString(payload.data)  # type: ignore[attr-defined]
        action: Any = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)  # type: ignore[attr-defined]
        endorsements = []
        for msp in orgs:
            peer = cluster.layout.peer(cluster.topology.org(msp))
            endorser: Any = identities_pb2.SerializedIdentity(  # type: ignore[attr-defined]
                mspid=msp, id_bytes=certificate(peer).read_bytes()
            )
            creator = endorser.SerializeToString()
            signed_bytes = action.action.proposal_response_payload + creator
            signature = ecdsa_signer(private_key(peer).read_bytes())(sha256(signed_bytes))
            endorsements.append(
                proposal_response_pb2.Endorsement(endorser=creator, signature=signature)  # type: ignore[attr-defined]
            )
        del action.action.endorsements[:]
        action.action.endorsements.extend(endorsements)
        transaction.actions[0].payload = action.SerializeToString()
        payload.data = transaction.SerializeToString()
        prepared.envelope.payload = payload.SerializeToString()
        _, sign = profile.signer("InstitutionAMSP", "officer")
        signed = gateway.new_signed_transaction(
            prepared.SerializeToString(), sign(sha256(prepared.envelope.payload))
        )
        return signed.transaction_id, signed.submit().status().code_name


def code_at(network: LiveNetwork, msp: str, transaction_id: str) -> str:
    """The validation code that one organization's own peer recorded."""
    with network.profile.gateway(msp, "admin") as gateway:
        found = (
            gateway.network("identity")
            .contract("qscc")
            .new_proposal("GetTransactionByID", arguments=["identity", transaction_id], endorsing_orgs=[msp])
            .evaluate()
        )
    processed: Any = transaction_pb2.ProcessedTransaction.FromString(found)  # type: ignore[attr-defined]
    return str(transaction_pb2.TxValidationCode.Name(processed.validationCode))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("orgs", "code"),
    [
        (["InstitutionAMSP"], "ENDORSEMENT_POLICY_FAILURE"),
        (["AssociationMSP"], "ENDORSEMENT_POLICY_FAILURE"),
        (["InstitutionAMSP", "AssociationMSP"], "ENDORSEMENT_POLICY_FAILURE"),
        (["AssociationMSP", "AssociationMSP"], "ENDORSEMENT_POLICY_FAILURE"),
        (["AssociationMSP", "ArbitrationMSP"], "VALID"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else None,
)
def test_two_endorsers_are_needed_on_every_peer(
    network: LiveNetwork, drill: str, orgs: list[str], code: str
) -> None:
    transaction_id, found = submit_endorsed_by(network, orgs)
    assert found == code
    for msp in network.profile.channel("identity").orgs:
        wait_for_transaction(network, msp, transaction_id)
        assert code_at(network, msp, transaction_id) == code


def wait_for_transaction(network: LiveNetwork, msp: str, transaction_id: str) -> None:
    """Return when the organization's peer has committed the transaction."""
    with network.profile.gateway(msp, "admin") as gateway:
        request: Any = gateway_pb2.CommitStatusRequest(  # type: ignore[attr-defined]
            transaction_id=transaction_id,
            channel_id="identity",
            identity=_serialized(network, msp),
        )
        signed: Any = gateway_pb2.SignedCommitStatusRequest(request=request.SerializeToString())  # type: ignore[attr-defined]
        gateway.new_commit(signed.SerializeToString()).status()


def _serialized(network: LiveNetwork, msp: str) -> bytes:
    identity, _ = network.profile.signer(msp, "admin")
    creator: Any = identities_pb2.SerializedIdentity(mspid=msp, id_bytes=identity.cert_pem)  # type: ignore[attr-defined]
    return bytes(creator.SerializeToString())
