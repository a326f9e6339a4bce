"""Events from a real peer: live, replayed, resumed, closed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from client.gateway import EventsError, FileCheckpointer, InMemoryCheckpointer
from client.gateway.protos import common_pb2, transaction_pb2
from tests.integration.gateway.deployment import fresh

if TYPE_CHECKING:
    from pathlib import Path

    from client.gateway import ChaincodeEvent, Contract, Gateway, Network
    from tests.integration.gateway.deployment import Deployed

pytestmark = pytest.mark.network


@pytest.fixture
def ledger(deployed: Deployed, gateway: Gateway) -> Network:
    return deployed.network(gateway)


def emit(contract: Contract, name: str, count: int = 1) -> int:
    """Emit events in one burst, and return the first block that has any of them."""
    proposals = [contract.new_proposal("emit", arguments=[name, str(number)]) for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        transactions = list(pool.map(lambda proposal: proposal.endorse(), proposals))
        commits = list(pool.map(lambda transaction: transaction.submit(), transactions))
        statuses = list(pool.map(lambda commit: commit.status(), commits))
    assert all(status.successful for status in statuses)
    blocks: list[int] = [status.block_number for status in statuses]
    return min(blocks)


def take(stream: Any, name: str, count: int) -> list[ChaincodeEvent]:
    found = []
    for event in stream:
        if event.event_name == name:
            found.append(event)
        if len(found) == count:
            break
    return found


def test_an_event_arrives_as_it_was_emitted(deployed: Deployed, ledger: Network, contract: Contract) -> None:
    start = contract.submit_async("echo", "mark").status().block_number
    name = fresh("event")
    with ledger.chaincode_events(deployed.chaincode, start_block=start + 1) as events:
        submitted = contract.submit_async("emit", name, b"\xffpayload")
        [event] = take(events, name, 1)
    assert event.payload == b"\xffpayload"
    assert event.chaincode == deployed.chaincode
    assert event.transaction_id == submitted.transaction_id
    assert event.block_number == submitted.status().block_number


def test_a_stream_without_a_start_brings_what_is_committed_next(
    deployed: Deployed, ledger: Network, contract: Contract
) -> None:
    earlier, later = fresh("event"), fresh("event")
    emit(contract, earlier)
    with ledger.chaincode_events(deployed.chaincode) as events:
        first: list[str] = []
        arrived = threading.Event()

        def read() -> None:
            for event in events:
                first.append(event.event_name)
                arrived.set()

        reader = threading.Thread(target=read)
        reader.start()
        while not arrived.is_set():  # the stream begins some moment after it was asked for
            emit(contract, later)
    reader.join(30)
    assert not reader.is_alive()
    assert set(first) == {later}


def test_events_are_replayed_from_a_block(deployed: Deployed, ledger: Network, contract: Contract) -> None:
    name = fresh("event")
    start = emit(contract, name, 3)
    replays = []
    for _ in range(2):
        with ledger.chaincode_events(deployed.chaincode, start_block=start) as events:
            replays.append(take(events, name, 3))
    assert replays[0] == replays[1]
    assert {event.payload for event in replays[0]} == {b"0", b"1", b"2"}


def test_a_reader_resumes_in_the_middle_of_a_block(
    deployed: Deployed, ledger: Network, contract: Contract, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.json"
    shared = False
    for _ in range(5):  # until a burst shares a block
        name = fresh("event")
        start = emit(contract, name, 6)
        with ledger.chaincode_events(deployed.chaincode, start_block=start) as events:
            everything = take(events, name, 6)
        shared = everything[0].block_number == everything[1].block_number
        if shared:
            break
    assert shared
    resumed = []
    path.unlink(missing_ok=True)
    for _ in everything:  # a process that dies after each event, its checkpoint being all that is left
        checkpointer = FileCheckpointer(path)
        with ledger.chaincode_events(
            deployed.chaincode, start_block=start, checkpoint=checkpointer
        ) as events:
            [event] = take(events, name, 1)
            resumed.append(event)
            checkpointer.checkpoint_chaincode_event(event)
    assert resumed == everything


def test_an_event_that_was_not_checkpointed_comes_again(
    deployed: Deployed, ledger: Network, contract: Contract
) -> None:
    name = fresh("event")
    checkpointer = InMemoryCheckpointer(block_number=emit(contract, name, 2))
    seen = []
    for _ in range(2):
        with ledger.chaincode_events(deployed.chaincode, checkpoint=checkpointer) as events:
            seen.append(take(events, name, 1)[0])
    assert seen[0] == seen[1]


def test_a_waiting_reader_is_released_by_another_thread(
    deployed: Deployed, ledger: Network, contract: Contract
) -> None:
    name = fresh("event")
    start = emit(contract, name)
    events = ledger.chaincode_events(deployed.chaincode, start_block=start)
    seen = threading.Event()

    def read() -> None:
        for event in events:
            if event.event_name == name:
                seen.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert seen.wait(30)
    events.close()
    reader.join(10)
    assert not reader.is_alive()


def test_closing_the_gateway_releases_its_readers(deployed: Deployed) -> None:
    with deployed.profile.gateway("AssociationMSP", "officer") as gateway:
        network = deployed.network(gateway)
        streams = [network.chaincode_events(deployed.chaincode), network.block_events()]
        readers = [threading.Thread(target=list, args=(stream,)) for stream in streams]
        for reader in readers:
            reader.start()
    for reader in readers:
        reader.join(10)
        assert not reader.is_alive()


def test_events_of_an_unknown_channel_are_an_error(deployed: Deployed, gateway: Gateway) -> None:
    with (
        gateway.network("missing").chaincode_events(deployed.chaincode) as events,
        pytest.raises(EventsError, match="missing"),
    ):
        next(events)
    with gateway.network("missing").block_events() as blocks, pytest.raises(EventsError, match="NOT_FOUND"):
        next(blocks)


def transaction_ids(block: Any) -> list[str]:
    found = []
    for data in block.data.data:
        payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(data).payload)
        found.append(common_pb2.ChannelHeader.FromString(payload.header.channel_header).tx_id)
    return found


def test_whole_blocks_come_in_order_and_end_at_the_stop_block(ledger: Network, contract: Contract) -> None:
    submitted = contract.submit_async("put", fresh("key"), "value")
    last = submitted.status().block_number
    with ledger.block_events(start_block=0, stop_block=last) as blocks:
        everything = list(blocks)
    assert [block.header.number for block in everything] == list(range(last + 1))
    assert submitted.transaction_id in transaction_ids(everything[-1])


def test_filtered_blocks_name_transactions_and_their_codes(ledger: Network, contract: Contract) -> None:
    key = fresh("counter")
    first, second = (contract.new_proposal("increment", arguments=[key]).endorse() for _ in range(2))
    start = first.submit().status().block_number
    stop = second.submit().status().block_number
    with ledger.filtered_block_events(start_block=start, stop_block=stop) as blocks:
        codes = {
            transaction.txid: transaction.tx_validation_code
            for block in blocks
            for transaction in block.filtered_transactions
        }
    assert codes[first.transaction_id] == transaction_pb2.VALID
    assert codes[second.transaction_id] == transaction_pb2.MVCC_READ_CONFLICT


def test_private_data_comes_to_its_organization_only(deployed: Deployed) -> None:
    value = fresh("secret").encode()
    collection = "_implicit_org_AssociationMSP"
    found = {}
    with deployed.profile.gateway("AssociationMSP", "officer") as gateway:
        submitted = deployed.contract(gateway).submit_async(
            "putPrivate",
            collection,
            fresh("key"),
            transient={"value": value},
            endorsing_orgs=["AssociationMSP", "RegulatorMSP"],
        )
        status = submitted.status()
    assert status.successful
    block = status.block_number
    for msp in ("AssociationMSP", "ArbitrationMSP"):
        with (
            deployed.profile.gateway(msp, "officer") as gateway,
            deployed.network(gateway).block_and_private_data_events(
                start_block=block, stop_block=block
            ) as blocks,
        ):
            [message] = blocks
        assert message.block.header.number == block
        assert value not in message.block.SerializeToString()
        found[msp] = value in message.SerializeToString()
    assert found == {"AssociationMSP": True, "ArbitrationMSP": False}


def test_a_reader_of_blocks_resumes_after_the_last_one_done(
    ledger: Network, contract: Contract, tmp_path: Path
) -> None:
    last = contract.submit_async("echo", "x").status().block_number
    seen = []
    for _ in range(3):
        checkpointer = FileCheckpointer(tmp_path / "checkpoint.json")
        with ledger.block_events(start_block=last - 2, checkpoint=checkpointer) as blocks:
            number = next(blocks).header.number
            seen.append(number)
            checkpointer.checkpoint_block(number)
    assert seen == [last - 2, last - 1, last]


def test_a_reader_waits_for_a_block_that_is_yet_to_come(ledger: Network, contract: Contract) -> None:
    last = contract.submit_async("echo", "x").status().block_number
    with ledger.block_events(start_block=last + 1) as blocks:
        submitted = contract.submit_async("echo", "y")
        assert submitted.transaction_id in transaction_ids(next(blocks))
