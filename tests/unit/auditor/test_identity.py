"""Replay of the identity channel: what the chaincode had to write, and what it must never have written."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from auditor.follower import Follower
from auditor.replay.authority import Offices
from auditor.replay.identity import IdentityReplay
from tests.unit.auditor.builder import Chain, Network, Signer
from tests.unit.auditor.lenders import LenderCA, b64url, canonical, key, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTITUTION = "InstitutionAMSP"


class Identity:
    """Plays the identity chaincode: tests say what it wrote."""

    def __init__(self, fabric: Network) -> None:
        self.chain = Chain(fabric, "identity")
        self.ca = LenderCA()
        self.officer = fabric.person(INSTITUTION, "officer")
        self.regulator = fabric.person("RegulatorMSP", "officer")
        self.verifier = fabric.person("AssociationMSP", "verifier")
        self.replay = IdentityReplay()

    def follow(self) -> Follower:
        follower = Follower("identity", self.chain.genesis, "identity", self.replay, Offices())
        follower.follow(self.chain.blocks)
        return follower

    def run(
        self,
        creator: Signer,
        arguments: list[Any],
        response: Any = None,
        writes: Mapping[str, Any] | None = None,
    ) -> None:
        encoded = [one if isinstance(one, bytes) else canonical(one) for one in arguments[1:]]
        self.chain.add(
            self.chain.invoke(
                creator,
                "identity",
                [arguments[0].encode(), *encoded],
                response=response if isinstance(response, bytes) else canonical(response),
                writes={name: canonical(value) for name, value in (writes or {}).items()},
            )
        )

    def issuer(self) -> None:
        record = self.ca.issuer("proposed", self.chain.next_transaction_id(self.officer))
        name = key("issuer", INSTITUTION)
        self.run(self.officer, ["ProposeIssuer", self.ca.issuer_request], record, {name: record})
        record = self.ca.issuer("confirmed", self.chain.next_transaction_id(self.regulator))
        x5t = record["x5t"].encode()
        self.run(self.regulator, ["ConfirmIssuer", INSTITUTION.encode(), x5t], record, {name: record})


@pytest.fixture
def identity(fabric: Network) -> Identity:
    one = Identity(fabric)
    one.issuer()
    return one


def test_enrolments_sessions_and_revocation(identity: Identity) -> None:
    ann, bob = identity.ca.lender("ann"), identity.ca.lender("bob")
    tx = identity.chain.next_transaction_id(identity.verifier)
    identity.run(
        identity.verifier,
        ["Enrol", [ann.request(), bob.request(), {"sub": "x"}]],
        verdicts(2, refused=[[2, "ENROLMENT_FORMAT", 0]]),
        {key("enrolment", one.sub): one.enrolment(tx) for one in (ann, bob)},
    )
    identity.run(identity.verifier, ["Enrol", [ann.request()]], verdicts(0, held=[0]))
    tx = identity.chain.next_transaction_id(identity.verifier)
    cyd = identity.ca.lender("cyd")
    identity.run(
        identity.verifier,
        ["RecordSessions", [ann.session_request("m"), cyd.session_request("m")]],
        verdicts(1, pending=[[1, "ENROLMENT_NOT_FOUND"]]),
        {key("session", ann.ses): {**ann.session_request("m"), "tx": tx}},
    )
    tx = identity.chain.next_transaction_id(identity.regulator)
    revoked = ann.enrolment(tx, status="revoked", reason="key lost", rev=2)
    identity.run(
        identity.regulator,
        ["Revoke", {"sub": ann.sub, "reason": "key lost"}],
        revoked,
        {key("enrolment", ann.sub): revoked},
    )
    again = identity.ca.lender("ann")
    tx = identity.chain.next_transaction_id(identity.verifier)
    identity.run(
        identity.verifier,
        ["Enrol", [ann.request(), again.request()]],
        verdicts(1, refused=[[0, "KEY_REVOKED", 2]]),
        {key("enrolment", ann.sub): again.enrolment(tx, rev=3)},
    )
    identity.run(
        identity.verifier,
        ["RecordSessions", [{**ann.session_request("m"), "ses": b64url(bytes(16))}]],
        verdicts(0, refused=[[0, "KEY_FOREIGN", 3]]),
    )
    assert identity.follow().findings == []
    assert [one.rev for one in identity.replay.people.enrolments[ann.sub]] == [1, 2, 3]
    assert identity.replay.people.at_revision(ann.sub, 1) is not None
    assert identity.replay.people.at_revision(ann.sub, 4) is None


def only_finding(identity: Identity, step: int) -> str:
    findings = identity.follow().findings
    assert [one.step for one in findings] == [step]
    return str(findings[0])


@pytest.mark.parametrize(
    ("msp_id", "role"), [("AssociationMSP", "relay"), ("RegulatorMSP", "verifier"), (INSTITUTION, "verifier")]
)
def test_step_14_who_may_not(identity: Identity, msp_id: str, role: str) -> None:
    lender = identity.ca.lender("ann")
    creator = identity.chain.network.person(msp_id, role)
    tx = identity.chain.next_transaction_id(creator)
    identity.run(
        creator,
        ["Enrol", [lender.request()]],
        verdicts(1),
        {key("enrolment", lender.sub): lender.enrolment(tx)},
    )
    assert "may not" in only_finding(identity, 14)


def test_step_15_a_certificate_of_another_ca(identity: Identity) -> None:
    lender = LenderCA().lender("ann")
    tx = identity.chain.next_transaction_id(identity.verifier)
    identity.run(
        identity.verifier,
        ["Enrol", [lender.request()]],
        verdicts(1),
        {key("enrolment", lender.sub): lender.enrolment(tx)},
    )
    assert "CERT_CHAIN" in only_finding(identity, 15)


UNREADABLE_PARTS = {
    "its key's curve": (bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030106")),
    "its name": (b"\x06\x03\x55\x04\x03\x0c\x16", b"\x06\x03\x55\x04\x03\x1e\x16"),
    "its version": (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03"),
    "its extensions": (b"\x06\x03\x55\x1d\x13\x01", b"\x06\x03\x55\x1d\x13\x02"),
}


@pytest.mark.parametrize("part", UNREADABLE_PARTS)
def test_a_certificate_that_cannot_be_read_is_refused_and_ends_nothing(identity: Identity, part: str) -> None:
    """The library reads parts only when they are asked for; a malformed one is the verdict's business."""
    lender = identity.ca.lender("an")
    old, new = UNREADABLE_PARTS[part]
    der = base64.b64decode(lender.request()["certificate"])
    assert der.count(old) >= 1
    request = lender.request(certificate=base64.b64encode(der.replace(old, new)).decode())
    tx = identity.chain.next_transaction_id(identity.verifier)
    record = {**lender.enrolment(tx), "certificate": request["certificate"]}
    identity.run(identity.verifier, ["Enrol", [request]], verdicts(1), {key("enrolment", lender.sub): record})
    assert [one.step for one in identity.follow().findings] == [15]


def test_a_certificate_authority_is_no_lender(identity: Identity) -> None:
    """The code is the chaincode's, so that an honest refusal is no finding."""
    lender = identity.ca.lender("an")
    request = lender.request(certificate=identity.ca.issuer_request["certificate"])
    answer = verdicts(0, refused=[[0, "CERT_KEY", 0]])
    identity.run(identity.verifier, ["Enrol", [request]], answer)
    assert identity.follow().findings == []


def test_step_15_a_record_that_nobody_asked_for(identity: Identity) -> None:
    ann, bob = identity.ca.lender("ann"), identity.ca.lender("bob")
    tx = identity.chain.next_transaction_id(identity.verifier)
    identity.run(
        identity.verifier,
        ["Enrol", [ann.request()]],
        verdicts(1),
        {key("enrolment", one.sub): one.enrolment(tx) for one in (ann, bob)},
    )
    assert "no write" in only_finding(identity, 15)


def test_step_15_a_record_not_written(identity: Identity) -> None:
    identity.run(identity.verifier, ["Enrol", [identity.ca.lender("ann").request()]], verdicts(1))
    assert "no write" in only_finding(identity, 15)


def test_step_15_a_record_with_one_member_changed(identity: Identity) -> None:
    ann = identity.ca.lender("ann")
    tx = identity.chain.next_transaction_id(identity.verifier)
    record = ann.enrolment(tx, method="face-v1")
    identity.run(
        identity.verifier, ["Enrol", [ann.request()]], verdicts(1), {key("enrolment", ann.sub): record}
    )
    only_finding(identity, 15)


def test_step_15_a_confirmation_of_another_certificate(identity: Identity) -> None:
    # The issuer is confirmed already; confirming again has to fail, so nobody can have committed it.
    record = identity.ca.issuer("confirmed", identity.chain.next_transaction_id(identity.regulator))
    name = key("issuer", INSTITUTION)
    identity.run(
        identity.regulator,
        ["ConfirmIssuer", INSTITUTION.encode(), record["x5t"].encode()],
        record,
        {name: record},
    )
    assert "ISSUER_EXISTS" in only_finding(identity, 15)


def test_step_15_a_revocation_whose_version_is_true(identity: Identity) -> None:
    ann = identity.ca.lender("ann")
    tx = identity.chain.next_transaction_id(identity.verifier)
    identity.run(
        identity.verifier,
        ["Enrol", [ann.request()]],
        verdicts(1),
        {key("enrolment", ann.sub): ann.enrolment(tx)},
    )
    tx = identity.chain.next_transaction_id(identity.regulator)
    revoked = ann.enrolment(tx, status="revoked", reason="key lost", rev=2)
    asked = {"v": True, "sub": ann.sub, "reason": "key lost"}
    identity.run(identity.regulator, ["Revoke", asked], revoked, {key("enrolment", ann.sub): revoked})
    assert "REVOKE_FORMAT" in only_finding(identity, 15)


def test_a_broken_block_ends_the_following(identity: Identity) -> None:
    del identity.chain.blocks[1]
    follower = identity.follow()
    assert follower.broken is not None
    assert follower.broken.step == 2
    assert follower.ledger.height == 1
