"""Step 5: the new configuration is the old one with the signed update applied, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from tests.unit.auditor.builder import Chain, Network
from tests.unit.auditor.config_builder import (
    config_envelope,
    modifiable,
    reconfigure,
    update_of,
    updated,
)
from tests.unit.auditor.config_changes import (
    ANOTHER,
    APPLICATION,
    INSTITUTION,
    ORDERER,
    batch_size,
    change_msp,
    endorsed_by_one,
    pem,
    refused,
    signers,
)

if TYPE_CHECKING:
    from auditor.errors import ConfigurationError
    from tests.unit.auditor.config_changes import Change


def forged(
    chain: Chain,
    *,
    result: Change = lambda _: None,
    update: Change = lambda _: None,
    kind: int = pb.common.CONFIG_UPDATE,
) -> ConfigurationError:
    """Sign a change of the batch size; then alter the update before, or the result after."""
    following = updated(chain.config, batch_size)
    proposed = update_of(chain.config, following, chain.channel)
    update(proposed)
    result(following)
    envelope = config_envelope(chain, following, proposed, signers(chain), kind=kind)
    chain.add(envelope, config=True)
    return refused(chain)


@pytest.mark.parametrize(
    ("result", "place"),
    [
        (endorsed_by_one, f"policy {APPLICATION}/Endorsement"),
        (
            lambda root: setattr(root.groups["Orderer"].values["BatchSize"], "version", 2),
            f"value {ORDERER}/BatchSize",
        ),
        (
            lambda root: setattr(root.groups["Orderer"], "mod_policy", "Readers"),
            f"group {ORDERER}",
        ),
        (lambda root: root.groups["Orderer"].values.pop("BatchTimeout"), f"group {ORDERER}"),
        (
            lambda root: root.groups["Application"].values["ACLs"].SetInParent(),
            f"group {APPLICATION}",
        ),
        (
            change_msp(INSTITUTION, lambda msp: msp.root_certs.append(pem(ANOTHER.root))),
            f"value {APPLICATION}/{INSTITUTION}/MSP",
        ),
    ],
    ids=["policy", "version", "modification policy", "removed", "added", "msp"],
)
def test_step_5_another_configuration_than_the_update_makes(chain: Chain, result: Change, place: str) -> None:
    error = forged(chain, result=lambda following: result(following.channel_group))
    assert error.reason == "the update does not make this"
    assert error.where == f"arbitration-institutiona block 1 {place}"
    assert error.expected != error.found


def first(update: pb.Message) -> pb.Message:
    return update.write_set.groups["Orderer"].values["BatchSize"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: setattr(one.read_set, "version", 1), "read another version"),
        (lambda one: one.read_set.values["None"].SetInParent(), "read another version"),
        (lambda one: setattr(first(one), "version", 2), "not the next version"),
        (lambda one: setattr(first(one), "mod_policy", ""), "names no modification policy"),
        (lambda one: setattr(first(one), "mod_policy", "a//b"), "names no modification policy"),
        (lambda one: setattr(one.write_set.values["New"], "version", 3), "names no modification policy"),
        (
            lambda one: one.write_set.values["New"].MergeFrom(
                pb.configtx.ConfigValue(version=3, mod_policy="Admins")
            ),
            "not the next version",
        ),
        (lambda one: one.ClearField("write_set"), "changes nothing"),
        (lambda one: one.write_set.CopyFrom(one.read_set), "changes nothing"),
        (lambda one: setattr(one, "channel_id", "identity"), "an update of another channel"),
        (lambda one: one.write_set.values["a/b"].SetInParent(), "malformed update"),
        (lambda one: one.write_set.MergeFromString(b"\xfa\x01\x00"), "malformed update"),
    ],
)
def test_step_5_an_update_that_does_not_apply(chain: Chain, change: Change, reason: str) -> None:
    assert reason in forged(chain, update=change).reason


def test_step_5_made_from_no_update(chain: Chain) -> None:
    assert "no configuration update" in forged(chain, kind=pb.common.MESSAGE).reason


def test_step_5_a_sequence_left_out(chain: Chain) -> None:
    error = forged(chain, result=lambda following: setattr(following, "sequence", 2))
    assert "not the next configuration" in error.reason


def test_step_5_a_field_that_a_configuration_does_not_have(chain: Chain) -> None:
    error = forged(chain, result=lambda one: one.channel_group.MergeFromString(b"\xfa\x01\x00"))
    assert "malformed configuration" in error.reason


def test_step_5_a_group_that_names_what_is_not_there(chain: Chain) -> None:
    def change(update: pb.Message) -> None:
        # The group is written on, but what it names as new is not in the write set nor there before.
        group = update.write_set.groups["Orderer"]
        group.version += 1
        del group.values["BatchTimeout"]

    assert "the update does not make this" in forged(chain, update=change).reason


def test_step_5_a_configuration_shares_its_block(chain: Chain) -> None:
    following = updated(chain.config, batch_size)
    update = update_of(chain.config, following, chain.channel)
    envelope = config_envelope(chain, following, update, signers(chain))
    chain.add(envelope, envelope, config=True)
    assert "a block of its own" in refused(chain).reason


@pytest.mark.parametrize("kind", ["missing", "implicit"])
def test_step_5_a_modification_policy_that_nobody_can_satisfy(chain: Chain, kind: str) -> None:
    """From genesis on, an element may stand under a policy that is not there or counts sub-policies."""
    network = chain.network

    def broken(sequence: int = 0) -> pb.Message:
        config = Network.config(network, sequence)
        group = config.channel_group.groups["Orderer"]
        group.values["BatchSize"].mod_policy = "Writers"
        if kind == "implicit":
            meta = pb.policies.ImplicitMetaPolicy(sub_policy="Writers")
            group.policies["Writers"].CopyFrom(
                modifiable(
                    pb.policies.Policy(type=pb.policies.Policy.IMPLICIT_META, value=meta.SerializeToString())
                )
            )
        return config

    other = Network.__new__(Network)
    other.__dict__.update(vars(network))
    other.config = broken  # type: ignore[method-assign]
    built = Chain(other, chain.channel)
    reconfigure(built, batch_size)
    assert "not signed as it has to be" in refused(built).reason
