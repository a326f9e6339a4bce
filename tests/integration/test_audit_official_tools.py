"""Fabric's own `configtxlator` and `ledgerutil` see in real blocks and ledgers what the auditor sees."""

from __future__ import annotations

import base64
import json
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest

from auditor import protobuf as pb
from auditor.blocks import parse_block
from auditor.config_tree import GROUP, POLICY, VALUE, Element, Place, parse_tree
from auditor.decoded import decoded, decoded_policy, decoded_value
from auditor.errors import BlockError
from auditor.transactions import parse_transaction, transaction_type
from network.errors import CommandFailed
from tests.integration.governed import ARBITRATION, IDENTITY, anchor_peer, batch_size, config_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.governed import Governed

pytestmark = pytest.mark.network

PEER = "peer0.arbitration"


@pytest.fixture(scope="module")
def chains(governed: Governed) -> dict[str, list[bytes]]:
    governed.update(ARBITRATION, batch_size, "regulator", "association")
    governed.update(ARBITRATION, anchor_peer, "institutiona", "regulator")
    return {channel: governed.blocks(channel) for channel in (ARBITRATION, IDENTITY)}


def official(governed: Governed, kind: str, raw: bytes) -> Any:
    """Let `configtxlator` decode a message."""
    path = governed.folder / "decode.bin"
    path.write_bytes(raw)
    return json.loads(governed.tool("configtxlator", "proto_decode", "--type", kind, "--input", str(path)))


def without_nothing(value: Any) -> Any:
    """Leave out what is empty: Fabric's tool writes it as null, "", [] or {} by its type in Go."""
    if isinstance(value, dict):
        kept = {name: without_nothing(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in (None, "", [], {})}
    return [without_nothing(one) for one in value] if isinstance(value, list) else value


def test_every_block_decodes_alike(governed: Governed, chains: dict[str, list[bytes]]) -> None:
    for raw in (one for blocks in chains.values() for one in blocks):
        theirs = official(governed, "common.Block", raw)
        ours = decoded(pb.common.Block.FromString(raw))
        assert without_nothing(ours) == without_nothing(theirs)


def test_every_configuration_decodes_alike(governed: Governed, chains: dict[str, list[bytes]]) -> None:
    found = [config for blocks in chains.values() for raw in blocks if (config := config_of(raw))]
    assert [config.sequence for config in found] == [0, 1, 2, 0]
    for config in found:
        theirs = official(governed, "common.Config", config.SerializeToString())
        assert without_nothing(decoded(config)) == without_nothing(theirs)


def test_the_tree_that_updates_are_applied_to_is_theirs(
    governed: Governed, chains: dict[str, list[bytes]]
) -> None:
    """Every element of the official JSON, by its path, and no other: version, policy and content."""
    for blocks in chains.values():
        config = config_of(blocks[0])
        assert config is not None
        theirs: dict[tuple[str, str], tuple[Any, ...]] = {}
        collect(
            "/Channel",
            official(governed, "common.Config", config.SerializeToString())["channel_group"],
            theirs,
        )
        ours = {
            (place.kind, place.path): (str(one.version), one.mod_policy, content(place, one))
            for place, one in parse_tree(config.channel_group).items()
        }
        assert ours == theirs


def content(place: Place, element: Element) -> Any:
    if place.kind == GROUP:
        return sorted(one.path for one in element.members)
    if place.kind == POLICY:
        return without_nothing(decoded_policy(element.content))
    return without_nothing(decoded_value(place.name, element.content)) if element.content else None


def collect(path: str, group: Any, found: dict[tuple[str, str], tuple[Any, ...]]) -> None:
    members = [f"{path}/{name}" for kind in ("groups", "values", "policies") for name in group[kind]]
    found[GROUP, path] = (group["version"], group["mod_policy"], sorted(members))
    for name, one in group["values"].items():
        content = without_nothing(one["value"])
        found[VALUE, f"{path}/{name}"] = (one["version"], one["mod_policy"], content)
    for name, one in group["policies"].items():
        content = without_nothing(one["policy"])
        found[POLICY, f"{path}/{name}"] = (one["version"], one["mod_policy"], content)
    for name, one in group["groups"].items():
        collect(f"{path}/{name}", one, found)


def test_typed_blocks_and_transactions_are_theirs(governed: Governed, chains: dict[str, list[bytes]]) -> None:
    """What the steps work on, field by field."""
    seen = 0
    for channel, blocks in chains.items():
        for raw in blocks:
            theirs, ours = official(governed, "common.Block", raw), parse_block(raw)
            header = theirs["header"]
            assert str(ours.header.number) == header.get("number", "0")
            assert ours.header.previous_hash == base64.b64decode(header["previous_hash"] or "")
            assert ours.header.data_hash == base64.b64decode(header["data_hash"])
            for position, (envelope, each) in enumerate(zip(ours.data, theirs["data"]["data"], strict=True)):
                if transaction_type(envelope) != pb.common.CONFIG:
                    same_transaction(channel, (envelope, ours.header.number, position), each["payload"])
                    seen += 1
    assert seen > 0


def same_transaction(channel: str, place: tuple[bytes, int, int], theirs: Any) -> None:
    envelope, block, position = place
    ours = parse_transaction(envelope, channel, block, position)
    (action,) = theirs["data"]["actions"]
    invocation = action["payload"]["chaincode_proposal_payload"]["input"]["chaincode_spec"]
    answer = action["payload"]["action"]["proposal_response_payload"]
    executed = answer["extension"]
    assert ours.tx_id == theirs["header"]["channel_header"]["tx_id"]
    assert ours.chaincode == executed["chaincode_id"]["name"] == invocation["chaincode_id"]["name"]
    assert [base64.b64encode(one).decode() for one in ours.arguments] == invocation["input"]["args"]
    assert ours.proposal_hash == base64.b64decode(answer["proposal_hash"])
    assert ours.response == base64.b64decode(executed["response"]["payload"])
    assert [
        (base64.b64encode(one.endorser).decode(), base64.b64encode(one.signature).decode())
        for one in ours.endorsements
    ] == [(one["endorser"], one["signature"]) for one in action["payload"]["action"]["endorsements"]]
    for one, other in zip(ours.sets, executed["results"]["ns_rwset"], strict=True):
        assert one.namespace == other["namespace"]
        assert [(each.key, each.value or b"") for each in one.writes] == [
            (each["key"], base64.b64decode(each["value"] or "")) for each in other["rwset"]["writes"]
        ]
        assert [each.key for each in one.reads] == [each["key"] for each in other["rwset"]["reads"]]


@pytest.fixture
def ledger_copy(governed: Governed, chains: dict[str, list[bytes]], tmp_path: Path) -> Path:
    """A copy of a stopped peer's files."""
    network = governed.network
    org = network.cluster.topology.org("arbitration")
    network.kill(PEER, signal.SIGTERM)
    try:
        return shutil.copytree(network.cluster.layout.peer(org) / "data", tmp_path / "copy")
    finally:
        network.start(PEER)


def verified(governed: Governed, files: Path, results: Path) -> tuple[bool, dict[str, Any]]:
    """Run `ledgerutil verify`; returns whether all is well, and the faulty blocks by channel."""
    results.mkdir()
    try:
        governed.tool("ledgerutil", "verify", "--outputDir", str(results), str(files))
        well = True
    except CommandFailed:
        well = False
    suffix = "_verification_result"
    return well, {
        path.name.removesuffix(suffix): json.loads((path / "blocks.json").read_text() or "[]")
        for path in results.glob(f"*{suffix}")
    }


def test_ledgerutil_finds_a_peers_ledger_sound_and_so_does_the_auditor(
    governed: Governed, chains: dict[str, list[bytes]], ledger_copy: Path, tmp_path: Path
) -> None:
    assert verified(governed, ledger_copy, tmp_path / "results") == (True, {ARBITRATION: [], IDENTITY: []})
    for channel, blocks in chains.items():
        assert governed.followed(channel, blocks).height == len(blocks)


def test_both_find_the_same_block_altered(
    governed: Governed, chains: dict[str, list[bytes]], ledger_copy: Path, tmp_path: Path
) -> None:
    number = 2
    envelope = parse_block(chains[IDENTITY][number]).data[0]
    (path,) = (ledger_copy / "ledgersData" / "chains" / "chains" / IDENTITY).glob("blockfile_*")
    stored = bytearray(path.read_bytes())
    stored[stored.index(envelope) + len(envelope) - 1] ^= 1
    path.write_bytes(stored)
    _, found = verified(governed, ledger_copy, tmp_path / "results")
    assert [(one["blockNum"], one["errors"]) for one in found[IDENTITY]] == [(number, ["DataHash mismatch"])]
    assert found[ARBITRATION] == []
    raw = bytearray(chains[IDENTITY][number])
    raw[raw.index(envelope) + len(envelope) - 1] ^= 1
    ledger = governed.followed(IDENTITY, chains[IDENTITY][:number])
    with pytest.raises(BlockError) as error:
        ledger.accept(bytes(raw))
    assert error.value.step == 3
