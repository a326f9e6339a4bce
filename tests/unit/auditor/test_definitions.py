"""Step 13: definitions of the audited chaincode, and alarms over every other one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from auditor.alarm import FOREIGN_DEFINITION, FOREIGN_TRANSACTION, Alarm
from auditor.follower import Follower
from auditor.replay.authority import Offices
from auditor.replay.identity import IdentityReplay
from tests.unit.auditor.builder import Chain, Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REFERENCE = "/Channel/Application/Endorsement"
APPROVAL = b"ApproveChaincodeDefinitionForMyOrg"


@pytest.fixture
def chain(fabric: Network) -> Chain:
    return Chain(fabric, "identity")


def follow(chain: Chain) -> Follower:
    follower = Follower("identity", chain.genesis, "identity", IdentityReplay(), Offices())
    follower.follow(chain.blocks)
    return follower


def state(content: pb.Message | bytes) -> bytes:
    raw = content if isinstance(content, bytes) else content.SerializeToString()
    encoded: bytes = pb.lifecycle_db.StateData(Bytes=raw).SerializeToString()
    return encoded


def validation(reference: str = REFERENCE, plugin: str = "vscc") -> bytes:
    policy = pb.policy.ApplicationPolicy(channel_config_policy_reference=reference)
    return state(
        pb.definition.ChaincodeValidationInfo(
            validation_plugin=plugin, validation_parameter=policy.SerializeToString()
        )
    )


def endorsement(*, plugin: str = "escc", init: bool = False) -> bytes:
    return state(
        pb.definition.ChaincodeEndorsementInfo(version="1.0", endorsement_plugin=plugin, init_required=init)
    )


def metadata(kind: str = "ChaincodeDefinition") -> bytes:
    raw: bytes = pb.lifecycle_db.StateMetadata(datatype=kind, fields=["Sequence"]).SerializeToString()
    return raw


def definition(chaincode: str = "identity", **changes: bytes | None) -> dict[str, bytes | None]:
    """What `CommitChaincodeDefinition` writes, with some of its fields otherwise."""
    fields: dict[str, bytes | None] = {
        "Sequence": pb.lifecycle_db.StateData(Int64=1).SerializeToString(),
        "EndorsementInfo": endorsement(),
        "ValidationInfo": validation(),
        "Collections": state(b""),
        **changes,
    }
    written = {f"namespaces/fields/{chaincode}/{name}": one for name, one in fields.items()}
    return {f"namespaces/metadata/{chaincode}": metadata(), **written}


def commit(
    chain: Chain,
    writes: Mapping[str, bytes | None],
    endorsers: Sequence[str] = ("AssociationMSP", "RegulatorMSP"),
) -> None:
    admin = chain.network.admins["RegulatorMSP"]
    arguments = [b"CommitChaincodeDefinition", b""]
    chain.add(chain.invoke(admin, "_lifecycle", arguments, writes=writes, endorsers=endorsers))


def test_a_definition_under_the_channels_policy(chain: Chain) -> None:
    commit(chain, definition())
    follower = follow(chain)
    assert follower.findings == []
    assert follower.alarms.raised() == ()


def test_an_approval_is_nobody_elses_business(chain: Chain) -> None:
    admin = chain.network.admins["InstitutionAMSP"]
    chain.add(chain.invoke(admin, "_lifecycle", [APPROVAL], endorsers=["InstitutionAMSP"]))
    assert follow(chain).findings == []


@pytest.mark.parametrize(
    ("writes", "reason"),
    [
        (definition(ValidationInfo=validation("/Channel/Application/Writers")), "Endorsement policy"),
        (definition(ValidationInfo=validation("")), "Endorsement policy"),
        (definition(ValidationInfo=validation(plugin="lax")), "another validation plugin"),
        (definition(EndorsementInfo=endorsement(plugin="lax")), "another endorsement plugin"),
        (definition(EndorsementInfo=endorsement(init=True)), "initialisation"),
        (definition(Collections=state(b"\x0a\x00")), "private data collections"),
        (definition(ValidationInfo=b"\xff"), "malformed definition"),
        (definition(Sequence=None), "no definition"),
        (definition(Other=state(b"")), "a field that no definition has"),
        ({"namespaces/metadata/identity": metadata("ChaincodeLocalPackage")}, "no definition"),
        ({"namespaces/metadata/identity": None}, "no definition"),
        ({"something else": b"x"}, "no definition"),
    ],
)
def test_step_13_refuses(chain: Chain, writes: Mapping[str, bytes | None], reason: str) -> None:
    commit(chain, writes)
    (error,) = follow(chain).findings
    assert error.step == 13
    assert reason in error.reason


def test_step_13_without_the_regulators_peer(fabric: Network) -> None:
    """Even on a channel whose own policy for definitions would do without the Regulator."""
    lax = Network.__new__(Network)
    lax.__dict__.update(vars(fabric))

    def config(sequence: int = 0) -> pb.Message:
        found = Network.config(fabric, sequence)
        policies = found.channel_group.groups["Application"].policies
        policies["LifecycleEndorsement"].CopyFrom(policies["Endorsement"])
        return found

    lax.config = config  # type: ignore[method-assign]
    for endorsers, steps in (
        (("AssociationMSP", "ArbitrationMSP"), [13]),
        (("AssociationMSP", "RegulatorMSP"), []),
    ):
        chain = Chain(lax, "identity")
        commit(chain, definition(), endorsers)
        findings = follow(chain).findings
        assert [one.step for one in findings] == steps
        assert all("the Regulator's peer did not endorse" in one.reason for one in findings)


def test_step_10_comes_first_where_the_channels_policy_asks_for_the_regulator(chain: Chain) -> None:
    commit(chain, definition(), ("AssociationMSP", "ArbitrationMSP"))
    assert [one.step for one in follow(chain).findings] == [10]


def test_another_chaincode_is_an_alarm_and_no_finding(chain: Chain) -> None:
    commit(chain, definition("other", ValidationInfo=validation("/Channel/Application/Writers")))
    creator = chain.network.person("AssociationMSP", "verifier")
    for name in ("other", "other", "third"):
        chain.add(chain.invoke(creator, name, [b"f"], writes={name: b"1"}, endorsers=["InstitutionAMSP"]))
    follower = follow(chain)
    assert follower.findings == []
    assert follower.foreign == 3
    alarms = follower.alarms.raised()
    assert [(one.kind, one.channel, one.subject, one.count) for one in alarms] == [
        (FOREIGN_DEFINITION, "identity", "other", 1),
        (FOREIGN_TRANSACTION, "identity", "other", 2),
        (FOREIGN_TRANSACTION, "identity", "third", 1),
    ]
    assert [one.where.split(" transaction ")[0] for one in alarms] == [
        f"identity block {number}" for number in (1, 2, 4)
    ]
    assert Alarm(**alarms[0].as_json()) == alarms[0]
