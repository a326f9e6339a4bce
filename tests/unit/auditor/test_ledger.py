"""Steps 1 to 12: real blocks are accepted, and each step refuses what it is there for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from auditor.blocks import Header
from auditor.errors import BlockError, VerificationError
from auditor.ledger import Ledger, VerifiedBlock
from auditor.readwrite import Version
from tests.unit.auditor.builder import Chain, Network, Org, Signer, copy_without_endorsements, envelope, sign

if TYPE_CHECKING:
    from collections.abc import Callable

CC = "arbitration"


def follow(chain: Chain) -> tuple[Ledger, VerifiedBlock]:
    ledger = Ledger(chain.channel, chain.genesis)
    for raw in chain.blocks:
        verified = ledger.accept(raw)
    return ledger, verified


def invoke(chain: Chain, **options: object) -> bytes:
    relay = chain.network.person("AssociationMSP", "relay")
    return chain.invoke(relay, CC, [b"SubmitBallots", b"x"], **options)  # type: ignore[arg-type]


def tampered(raw: bytes, change: Callable[[pb.Message], None]) -> bytes:
    block = pb.common.Block.FromString(raw)
    change(block)
    changed: bytes = block.SerializeToString()
    return changed


def refused_with(step: int, error: pytest.ExceptionInfo[VerificationError]) -> None:
    assert error.value.step == step
    assert error.value.exit_code == 1


def only_finding(chain: Chain, step: int) -> VerificationError:
    _, verified = follow(chain)
    assert [one.step for one in verified.findings] == [step]
    assert verified.endorsed == ()
    return verified.findings[0]


def test_a_clean_chain_is_accepted(chain: Chain) -> None:
    chain.add(invoke(chain, writes={"a": b"1"}))
    chain.add(invoke(chain, reads={"a": (1, 0)}, writes={"a": b"2"}), invoke(chain, reads={"b": None}))
    ledger, verified = follow(chain)
    assert verified.findings == ()
    assert verified.refused == ()
    assert len(verified.endorsed) == 2
    assert verified.endorsed[0].creator.attributes == {"role": "relay"}
    assert ledger.height == 3
    assert ledger.world.versions.get(f"{CC}\na") == Version(2, 0)


def test_header_hash_is_the_der_of_fabric() -> None:
    header = Header(128, b"\x01" * 32, b"\x02" * 32)
    assert header.encoded().hex() == "3048" + "02020080" + "0420" + "01" * 32 + "0420" + "02" * 32
    assert Header(0, b"", b"\x02" * 32).encoded().hex() == "3027" + "020100" + "0400" + "0420" + "02" * 32


def test_step_1_another_genesis(chain: Chain) -> None:
    with pytest.raises(BlockError) as error:
        Ledger(chain.channel, b"\x00" * 32).accept(chain.blocks[0])
    refused_with(1, error)


def test_step_1_a_chain_without_its_beginning(chain: Chain) -> None:
    with pytest.raises(BlockError) as error:
        Ledger(chain.channel, chain.genesis).accept(chain.add(invoke(chain)))
    refused_with(1, error)


def test_step_2_a_block_left_out(chain: Chain) -> None:
    chain.add(invoke(chain))
    chain.add(invoke(chain))
    del chain.blocks[1]
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(2, error)


def test_step_2_another_predecessor(chain: Chain) -> None:
    chain.add(invoke(chain))
    changed = tampered(chain.blocks[1], lambda one: setattr(one.header, "previous_hash", b"\x00" * 32))
    ledger = Ledger(chain.channel, chain.genesis)
    ledger.accept(chain.blocks[0])
    with pytest.raises(BlockError) as error:
        ledger.accept(changed)
    refused_with(2, error)


def test_step_3_other_transactions(chain: Chain) -> None:
    chain.add(invoke(chain))
    other = invoke(chain)
    chain.blocks[1] = tampered(chain.blocks[1], lambda one: one.data.data.__setitem__(0, other))
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(3, error)


def test_step_3_an_empty_block(chain: Chain) -> None:
    chain.add()
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(3, error)


def test_step_3_a_code_too_few(chain: Chain) -> None:
    chain.add(invoke(chain), invoke(chain), codes=[0])
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(3, error)


def test_step_3_two_transactions_joined_to_one(chain: Chain) -> None:
    chain.add(invoke(chain), invoke(chain))

    def join(block: pb.Message) -> None:
        block.data.data[:] = [b"".join(block.data.data)]
        block.metadata.metadata[pb.common.TRANSACTIONS_FILTER] = b"\x00"

    chain.blocks[1] = tampered(chain.blocks[1], join)
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(3, error)
    assert "one envelope" in error.value.message


def test_step_4_two_of_four_orderers(chain: Chain) -> None:
    chain.add(invoke(chain), signers=("AssociationMSP", "RegulatorMSP"))
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(4, error)
    assert error.value.expected == "3 of 4"


def test_step_4_one_orderer_three_times(chain: Chain) -> None:
    chain.add(invoke(chain), signers=("AssociationMSP",) * 3)
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(4, error)


def test_step_4_signatures_over_another_block(chain: Chain) -> None:
    first = pb.common.Block.FromString(chain.add(invoke(chain)))
    chain.add(invoke(chain))
    chain.blocks[2] = tampered(
        chain.blocks[2], lambda one: one.metadata.metadata.__setitem__(0, first.metadata.metadata[0])
    )
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(4, error)


def test_step_4_another_configuration_block(chain: Chain) -> None:
    chain.last_config = 7
    chain.add(invoke(chain))
    with pytest.raises(BlockError) as error:
        follow(chain)
    refused_with(4, error)


def test_step_6_not_a_transaction(chain: Chain) -> None:
    chain.add(b"\xff\xff")
    only_finding(chain, 6)


def test_step_6_a_refusal_marked_valid(chain: Chain) -> None:
    chain.add(invoke(chain, status=500))
    only_finding(chain, 6)


def test_step_6_a_transaction_of_another_channel(chain: Chain, fabric: Network) -> None:
    chain.add(invoke(Chain(fabric, "identity")))
    only_finding(chain, 6)


def test_step_7_a_creator_of_no_organisation(chain: Chain) -> None:
    stranger = Org("AssociationMSP").issue("relay", attributes={"role": "relay"})
    chain.add(chain.invoke(stranger, CC, [b"f"]))
    assert "does not chain" in only_finding(chain, 7).reason


def test_step_7_a_payload_changed_after_signing(chain: Chain) -> None:
    sealed = pb.common.Envelope.FromString(invoke(chain))
    sealed.payload += b"\x1a\x00"  # an unknown field: same meaning, other bytes
    chain.add(sealed.SerializeToString())
    only_finding(chain, 7)


def test_step_7_a_malleated_signature(chain: Chain) -> None:
    relay = chain.network.person("AssociationMSP", "relay")
    sealed = pb.common.Envelope.FromString(chain.invoke(relay, CC, [b"f"]))
    sealed.signature = sign(relay.key, sealed.payload, high=True)
    chain.add(sealed.SerializeToString())
    only_finding(chain, 7)


def rewrapped(chain: Chain, change: Callable[[pb.Message, pb.Message], None]) -> Signer:
    """Add a transaction whose creator changed its header or action before signing."""
    relay = chain.network.person("AssociationMSP", "relay")
    payload = pb.common.Payload.FromString(
        pb.common.Envelope.FromString(chain.invoke(relay, CC, [b"f", b"honest"])).payload
    )
    header = pb.common.ChannelHeader.FromString(payload.header.channel_header)
    transaction = pb.transaction.Transaction.FromString(payload.data)
    action = pb.transaction.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    change(header, action)
    chain.add(envelope(relay, header.SerializeToString(), payload.header.signature_header, action))
    return relay


def test_step_8_another_transaction_id(chain: Chain) -> None:
    rewrapped(chain, lambda header, _: setattr(header, "tx_id", "00" * 32))
    only_finding(chain, 8)


def test_step_9_other_arguments_than_endorsed(chain: Chain) -> None:
    def change(_: pb.Message, action: pb.Message) -> None:
        proposed = pb.proposal.ChaincodeProposalPayload.FromString(action.chaincode_proposal_payload)
        proposed.input = proposed.input.replace(b"honest", b"forged")
        action.chaincode_proposal_payload = proposed.SerializeToString()

    rewrapped(chain, change)
    only_finding(chain, 9)


@pytest.mark.parametrize(
    "endorsers",
    [
        (),
        ("AssociationMSP",),
        ("InstitutionAMSP",),
        ("AssociationMSP",) * 2,
        ("AssociationMSP", "InstitutionAMSP"),
    ],
)
def test_step_10_too_few_endorsers(chain: Chain, endorsers: tuple[str, ...]) -> None:
    chain.add(invoke(chain, endorsers=endorsers))
    only_finding(chain, 10)


def test_step_10_a_client_is_no_endorser(chain: Chain) -> None:
    forger = chain.network.person("RegulatorMSP", "auditor")

    def change(_: pb.Message, action: pb.Message) -> None:
        one = action.action.endorsements[1]
        one.endorser = forger.identity
        one.signature = sign(forger.key, action.action.proposal_response_payload + forger.identity)

    rewrapped(chain, change)
    only_finding(chain, 10)


def test_step_10_an_answer_changed_after_endorsement(chain: Chain) -> None:
    def change(_: pb.Message, action: pb.Message) -> None:
        action.action.proposal_response_payload += b"\x1a\x00"

    rewrapped(chain, change)
    only_finding(chain, 10)


def test_step_11_a_stale_read_marked_valid(chain: Chain) -> None:
    chain.add(invoke(chain, writes={"a": b"1"}))
    chain.add(invoke(chain, reads={"a": None}, writes={"a": b"2"}))
    only_finding(chain, 11)


def test_step_11_a_transaction_twice(chain: Chain) -> None:
    one = invoke(chain)
    chain.add(one)
    chain.add(one)
    only_finding(chain, 11)


def both(chain: Chain) -> tuple[bytes, bytes]:
    relay = chain.network.person("AssociationMSP", "relay")
    full = chain.invoke(relay, CC, [b"SubmitBallots", b"x"])
    return copy_without_endorsements(full, relay), full


def test_a_copy_refused_before_it_in_the_block_takes_no_id(chain: Chain) -> None:
    poor, full = both(chain)
    chain.add(poor, full, codes=[10, 0])
    _, verified = follow(chain)
    assert verified.findings == ()
    assert len(verified.endorsed) == 1
    assert [code for _, code in verified.refused] == ["ENDORSEMENT_POLICY_FAILURE"]


def test_a_duplicate_that_the_peer_refused_is_no_finding(chain: Chain) -> None:
    one = invoke(chain)
    chain.add(one, one, codes=[0, 9])
    _, verified = follow(chain)
    assert verified.findings == ()
    assert [code for _, code in verified.refused] == ["DUPLICATE_TXID"]


def test_step_11_a_transaction_twice_in_one_block(chain: Chain) -> None:
    one = invoke(chain)
    chain.add(one, one)
    _, verified = follow(chain)
    assert [finding.step for finding in verified.findings] == [11]
    assert len(verified.endorsed) == 1


def test_step_11_an_id_of_one_that_read_stale_data(chain: Chain) -> None:
    # Reads are looked at after duplicates: the first of them has taken the id, though it came to nothing.
    chain.add(invoke(chain, writes={"a": b"1"}))
    one = invoke(chain, reads={"a": None})
    chain.add(one, one, codes=[11, 0])
    only_finding(chain, 11)


def test_step_11_an_id_refused_in_an_earlier_block(chain: Chain) -> None:
    poor, full = both(chain)
    chain.add(poor, codes=[10])
    chain.add(full)
    assert "its id was used before" in str(only_finding(chain, 11))


def test_a_range_without_an_end_goes_to_the_last_key(chain: Chain) -> None:
    query = pb.kvrwset.RangeQueryInfo(start_key="a", end_key="", itr_exhausted=True)
    read = query.raw_reads.kv_reads.add(key="b1")
    read.version.block_num, read.version.tx_num = 1, 0
    chain.add(invoke(chain, writes={"b1": b"1"}))
    chain.add(invoke(chain, ranges=[query]))
    assert follow(chain)[1].findings == ()
    chain.add(invoke(chain, writes={"z": b"1"}))
    chain.add(invoke(chain, ranges=[query]))
    only_finding(chain, 11)


def test_an_empty_value_deletes(chain: Chain) -> None:
    chain.add(invoke(chain, writes={"a": b"1"}))
    chain.add(invoke(chain, writes={"a": b""}))
    chain.add(invoke(chain, reads={"a": None}))
    ledger, verified = follow(chain)
    assert verified.findings == ()
    assert ledger.world.versions.get(f"{CC}\na") is None


def test_step_11_a_range_that_changed(chain: Chain) -> None:
    query = pb.kvrwset.RangeQueryInfo(start_key="a", end_key="b", itr_exhausted=True)
    query.raw_reads.SetInParent()
    chain.add(invoke(chain, writes={"a1": b"1"}))
    chain.add(invoke(chain, ranges=[query]))
    only_finding(chain, 11)


def test_transactions_that_the_peer_refused_change_nothing(chain: Chain) -> None:
    chain.add(
        invoke(chain, writes={"a": b"1"}),
        invoke(chain, reads={"a": None}, writes={"a": b"2"}),
        invoke(chain, writes={"b": b"3"}, endorsers=("InstitutionAMSP",)),
        codes=[0, 11, 10],
    )
    ledger, verified = follow(chain)
    assert verified.findings == ()
    assert [code for _, code in verified.refused] == ["MVCC_READ_CONFLICT", "ENDORSEMENT_POLICY_FAILURE"]
    assert ledger.world.versions.get(f"{CC}\na") == Version(1, 0)
    assert ledger.world.versions.get(f"{CC}\nb") is None


@pytest.mark.parametrize("code", [10, 11])
def test_step_12_a_good_transaction_refused(chain: Chain, code: int) -> None:
    chain.add(invoke(chain, writes={"a": b"1"}), codes=[code])
    only_finding(chain, 12)
