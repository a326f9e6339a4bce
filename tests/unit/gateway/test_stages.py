"""The stages of a transaction against a scripted peer: requests, results, signatures, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from client.gateway import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EndpointDetail,
    EvaluateError,
    GatewayError,
    SigningError,
    SubmitError,
    connect,
    ecdsa_signer,
    validation_code_name,
)
from client.gateway.protos import gateway_pb2, identities_pb2
from tests.unit.gateway.peer_double import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.gateway import Contract, Gateway, Identity
    from tests.unit.gateway.peer_double import Peer


@pytest.fixture
def contract(gateway: Gateway) -> Contract:
    return gateway.network("mychannel").contract("basic")


def refusing(code: grpc.StatusCode, *details: tuple[str, str, str]) -> Callable[[Any], Any]:
    def answer(_request: Any) -> Any:
        raise Refusal(code, "sorry", *details)

    return answer


def verify(key: ec.EllipticCurvePrivateKey, signature: bytes, message: bytes) -> None:
    key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))


def test_evaluate_returns_the_result_and_asks_the_named_organizations(
    peer: Peer, contract: Contract, key: ec.EllipticCurvePrivateKey
) -> None:
    assert contract.evaluate("fn", "a", endorsing_orgs=["Org2MSP"]) == b"evaluated"
    request = peer.last("evaluate")
    assert request.channel_id == "mychannel"
    assert list(request.target_organizations) == ["Org2MSP"]
    verify(key, request.proposed_transaction.signature, request.proposed_transaction.proposal_bytes)
    assert [stage for stage, _ in peer.asked] == ["evaluate"]


def test_submit_goes_through_the_stages_in_order_each_signed(
    peer: Peer, contract: Contract, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    assert contract.submit("fn", b"\x00", endorsing_orgs=["Org1MSP", "Org2MSP"]) == b"endorsed"
    assert [stage for stage, _ in peer.asked] == ["endorse", "submit", "commit_status"]
    endorse, submit, status = (request for _, request in peer.asked)
    assert list(endorse.endorsing_organizations) == ["Org1MSP", "Org2MSP"]
    verify(key, endorse.proposed_transaction.signature, endorse.proposed_transaction.proposal_bytes)
    verify(key, submit.prepared_transaction.signature, submit.prepared_transaction.payload)
    verify(key, status.signature, status.request)
    inner = gateway_pb2.CommitStatusRequest.FromString(status.request)
    assert inner.transaction_id == submit.transaction_id == endorse.transaction_id
    assert inner.channel_id == submit.channel_id == endorse.channel_id == "mychannel"
    assert identities_pb2.SerializedIdentity.FromString(inner.identity).id_bytes == identity.cert_pem


def test_submit_async_returns_before_the_commit(peer: Peer, contract: Contract) -> None:
    submitted = contract.submit_async("fn")
    assert submitted.result == b"endorsed"
    assert [stage for stage, _ in peer.asked] == ["endorse", "submit"]
    status = submitted.status()
    assert (status.successful, status.code_name, status.block_number) == (True, "VALID", 7)
    assert status.transaction_id == submitted.transaction_id


def test_an_invalid_commit_is_an_error_with_its_codes_name(peer: Peer, contract: Contract) -> None:
    peer.commit_status = lambda _: gateway_pb2.CommitStatusResponse(result=11, block_number=9)
    with pytest.raises(CommitError, match="MVCC_READ_CONFLICT") as caught:
        contract.submit("fn")
    assert (caught.value.code, caught.value.code_name, caught.value.block_number) == (
        11,
        "MVCC_READ_CONFLICT",
        9,
    )
    assert caught.value.transaction_id == peer.last("submit").transaction_id
    assert not caught.value.outcome_unknown


def test_a_staged_invalid_commit_is_a_status_not_an_error(peer: Peer, contract: Contract) -> None:
    peer.commit_status = lambda _: gateway_pb2.CommitStatusResponse(result=10, block_number=9)
    status = contract.new_proposal("fn").endorse().submit().status()
    assert (status.successful, status.code_name) == (False, "ENDORSEMENT_POLICY_FAILURE")


def test_validation_codes_unknown_here_still_have_a_name() -> None:
    assert validation_code_name(200) == "CODE_200"


STAGES = [
    ("evaluate", EvaluateError, False),
    ("endorse", EndorseError, False),
    ("submit", SubmitError, True),
    ("commit_status", CommitStatusError, True),
]


def run(contract: Contract, stage: str) -> None:
    if stage == "evaluate":
        contract.evaluate("fn")
    else:
        contract.submit("fn")


def test_a_transaction_that_orderers_have_ordered_already_was_submitted(
    peer: Peer, contract: Contract
) -> None:
    said = "received unsuccessful response from orderer: failed to submit request: request already processed"
    peer.submit = refusing(grpc.StatusCode.UNAVAILABLE, ("orderer0.b:7050", "BMSP", said))
    assert contract.new_proposal("fn").endorse().submit().status().successful


@pytest.mark.parametrize(("stage", "kind", "unknown"), STAGES)
def test_each_stage_has_its_error_with_every_nodes_detail(
    peer: Peer, contract: Contract, stage: str, kind: type[GatewayError], unknown: bool
) -> None:
    details = [
        ("peer0.a:7051", "AMSP", "chaincode response 500, CODE: no"),
        ("peer0.b:7051", "BMSP", "connection refused"),
    ]
    setattr(peer, stage, refusing(grpc.StatusCode.ABORTED, *details))
    with pytest.raises(kind) as caught:
        run(contract, stage)
    error = caught.value
    assert error.grpc_code is grpc.StatusCode.ABORTED
    assert error.details == tuple(EndpointDetail(*detail) for detail in details)
    assert error.chaincode_messages == ("CODE: no",)
    assert error.outcome_unknown is unknown
    transaction_id = peer.asked[0][1].transaction_id
    assert error.transaction_id == transaction_id
    for expected in ("ABORTED", "sorry", transaction_id, "peer0.b:7051 (BMSP): connection refused"):
        assert expected in str(error)


def test_a_refused_submission_has_a_known_outcome(peer: Peer, contract: Contract) -> None:
    peer.submit = refusing(grpc.StatusCode.INVALID_ARGUMENT)
    with pytest.raises(SubmitError) as caught:
        contract.submit("fn")
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(("stage", "kind", "unknown"), STAGES)
def test_each_stage_has_its_own_timeout(  # noqa: PLR0917
    peer: Peer,
    channel: grpc.Channel,
    identity: Identity,
    key: ec.EllipticCurvePrivateKey,
    stage: str,
    kind: type[GatewayError],
    unknown: bool,
) -> None:
    setattr(peer, stage, peer.stall)
    patient = dict.fromkeys([f"{name}_timeout" for name, *_ in STAGES])
    impatient: dict[str, Any] = {**patient, f"{stage}_timeout": 0.2}
    with (
        connect(channel, identity, ecdsa_signer(key), **impatient) as gateway,
        pytest.raises(kind) as caught,
    ):
        run(gateway.network("mychannel").contract("basic"), stage)
    assert caught.value.timed_out
    assert caught.value.outcome_unknown is unknown


@pytest.mark.parametrize(("elapsed", "expected"), [(0.99, True), (0.5, False)])
def test_a_server_whose_clock_ends_the_call_first_is_a_timeout_too(
    peer: Peer, contract: Contract, monkeypatch: pytest.MonkeyPatch, elapsed: float, expected: bool
) -> None:
    peer.evaluate = refusing(grpc.StatusCode.CANCELLED)
    clock = iter([100.0, 100.0 + 40 * elapsed])
    monkeypatch.setattr("client.gateway.service.monotonic", lambda: next(clock))
    with pytest.raises(EvaluateError) as caught:
        contract.evaluate("fn", timeout=40)
    assert caught.value.timed_out is expected


def test_a_timeout_may_be_given_for_one_call(peer: Peer, contract: Contract) -> None:
    peer.commit_status = peer.stall
    commit = contract.new_proposal("fn").endorse(timeout=20).submit(timeout=20)
    with pytest.raises(CommitStatusError) as caught:
        commit.status(timeout=0.2)
    assert caught.value.timed_out


def test_a_status_may_be_asked_again_after_an_error(peer: Peer, contract: Contract) -> None:
    commit = contract.submit_async("fn")
    answers = iter([refusing(grpc.StatusCode.UNAVAILABLE), peer.commit_status])

    def answer(request: Any) -> Any:
        return next(answers)(request)

    peer.commit_status = answer
    with pytest.raises(CommitStatusError):
        commit.status()
    assert commit.status().successful


def test_unreadable_details_do_not_hide_the_status(peer: Peer, contract: Contract) -> None:
    class Garbled(Refusal):
        def abort(self, context: grpc.ServicerContext) -> None:
            context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
            context.abort(self.code, self.message)

    def answer(_request: Any) -> Any:
        raise Garbled(grpc.StatusCode.ABORTED, "sorry")

    peer.evaluate = answer
    with pytest.raises(EvaluateError, match="sorry") as caught:
        contract.evaluate("fn")
    assert caught.value.details == ()


def test_a_dead_peer_is_unavailable(identity: Identity, key: ec.EllipticCurvePrivateKey) -> None:
    with grpc.insecure_channel("unix:/nonexistent/socket") as dead:
        contract = connect(dead, identity, ecdsa_signer(key)).network("c").contract("b")
        with pytest.raises(EndorseError) as caught:
            contract.submit("fn")
    assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE


def test_everything_can_be_signed_offline(
    peer: Peer, channel: grpc.Channel, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    sign = ecdsa_signer(key)
    gateway = connect(channel, identity)
    unsigned = gateway.network("mychannel").contract("basic").new_proposal("fn")
    proposal = gateway.new_signed_proposal(unsigned.to_bytes(), sign(unsigned.digest))
    assert proposal.evaluate() == b"evaluated"
    endorsed = proposal.endorse()
    transaction = gateway.new_signed_transaction(endorsed.to_bytes(), sign(endorsed.digest))
    assert transaction.result == b"endorsed"
    submitted = transaction.submit()
    commit = gateway.new_signed_commit(submitted.to_bytes(), sign(submitted.digest))
    status = commit.status()
    assert status.successful
    assert status.transaction_id == unsigned.transaction_id
    for stage, request in peer.asked:
        if stage in {"evaluate", "endorse"}:
            signed = request.proposed_transaction
            verify(key, signed.signature, signed.proposal_bytes)
        elif stage == "submit":
            verify(key, request.prepared_transaction.signature, request.prepared_transaction.payload)
        else:
            verify(key, request.signature, request.request)


def test_without_a_signer_nothing_is_sent(peer: Peer, channel: grpc.Channel, identity: Identity) -> None:
    contract = connect(channel, identity).network("mychannel").contract("basic")
    for call in (contract.submit, contract.evaluate):
        with pytest.raises(SigningError, match="no signer"):
            call("fn")
    assert peer.asked == []


def test_another_process_may_finish_what_this_one_began(
    peer: Peer, gateway: Gateway, contract: Contract
) -> None:
    transaction = gateway.new_transaction(contract.new_proposal("fn").endorse().to_bytes())
    commit = gateway.new_commit(transaction.submit().to_bytes())
    assert commit.status().transaction_id == transaction.transaction_id


def test_a_signer_of_ones_own_gets_the_digest(peer: Peer, channel: grpc.Channel, identity: Identity) -> None:
    seen: list[bytes] = []

    def sign(digest: bytes) -> bytes:
        seen.append(digest)
        return b"from the HSM"

    connect(channel, identity, sign, digest=lambda message: b"hash of %d" % len(message)).network(
        "mychannel"
    ).contract("basic").evaluate("fn")
    signed = peer.last("evaluate").proposed_transaction
    assert signed.signature == b"from the HSM"
    assert seen == [b"hash of %d" % len(signed.proposal_bytes)]
