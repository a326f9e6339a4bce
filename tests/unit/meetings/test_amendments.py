"""Amendments drawn up by the institution from its roll, and held against the full roll by the Regulator."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from client.encodings import jcs
from client.encodings.amendment import Amended, Entitlement
from client.encodings.errors import Refused
from client.encodings.leaf import Claim
from client.errors import Negative, UserError
from client.gateway.errors import EndorseError, EvaluateError
from client.meetings.amended import ChannelAmendments
from client.meetings.amendments import look_up_amendments, read_entitlements
from client.platform.models import Ballot
from tests.unit.meetings import test_meetings as meetings
from tests.unit.meetings.test_meetings import Arbitration, announce, close, roll_lines, supervisor

if TYPE_CHECKING:
    from client.encodings.amendment import Amendment
    from client.meetings.amendments import Amendments
    from client.meetings.convener import Convener
    from client.platform import Database
    from tests.ledger import Stub

patience = meetings.patience
arbitration = meetings.arbitration

DECISION = "ab" * 32
LITTLE = Entitlement((Claim("individual", 7),), ("m2",))
FIRST, SECOND = (line.leaf for line in roll_lines()[:2])
CAME = "z" * 21 + "A"


def propose(mine: Convener, **changes: Entitlement | None) -> None:
    wanted = {FIRST.sub: LITTLE, SECOND.sub: None, CAME: LITTLE} | changes
    mine.propose_amendment("m-1", wanted, reason="corrected", decision=DECISION)


def there(arbitration: Arbitration) -> Amendments:
    return look_up_amendments(arbitration.contract("AssociationMSP/officer"), "m-1")


def test_doors_are_told_what_is_confirmed_and_ask_no_more_often_than_they_need(
    database: Database, arbitration: Arbitration
) -> None:
    mine, moment = announce(database, arbitration), [0.0]
    contracts = [arbitration.contract("AssociationMSP/relay")]
    doors = ChannelAmendments(lambda _: contracts[0], fresh=2.0, clock=lambda: moment[0])
    assert doors.amended("InstitutionAMSP", "m-1") == {}
    propose(mine)
    supervisor(arbitration).confirm_amendment(waiting(arbitration), roll_lines())
    assert doors.confirmed("InstitutionAMSP", "m-1") == ()
    moment[0] = 2.0
    assert doors.amended("InstitutionAMSP", "m-1")[CAME] == Amended(None, LITTLE)
    assert [made.no for made in doors.confirmed("InstitutionAMSP", "m-1")] == [1]


def test_a_peer_that_is_down_keeps_no_door_shut(database: Database, arbitration: Arbitration) -> None:
    mine, moment = announce(database, arbitration), [0.0]
    propose(mine)
    supervisor(arbitration).confirm_amendment(waiting(arbitration), roll_lines())
    down, contracts = Arbitration().contract("AssociationMSP/relay"), []
    down.ledger.functions = {"GetAmendments": _down}
    contracts.append(down)
    doors = ChannelAmendments(lambda _: contracts[0], fresh=2.0, clock=lambda: moment[0])
    assert doors.amended("InstitutionAMSP", "m-1") == {}
    contracts[0], moment[0] = arbitration.contract("AssociationMSP/relay"), 2.0
    assert doors.amended("InstitutionAMSP", "m-1").keys() == {FIRST.sub, SECOND.sub, CAME}
    contracts[0], moment[0] = down, 4.0
    assert doors.amended("InstitutionAMSP", "m-1").keys() == {FIRST.sub, SECOND.sub, CAME}


def _down(stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
    raise EvaluateError("no peer")


def waiting(arbitration: Arbitration) -> Amendment:
    return supervisor(arbitration).pending_amendment("m-1", 0.0)


def test_an_amendment_says_what_stood_before(database: Database, arbitration: Arbitration) -> None:
    mine = announce(database, arbitration)
    propose(mine)
    pending = supervisor(arbitration).pending_amendment("m-1", 0.0)
    assert [(one.sub, one.before, one.after) for one in pending.changes] == [
        (FIRST.sub, Entitlement(FIRST.claims), LITTLE),
        (SECOND.sub, Entitlement(SECOND.claims), None),
        (CAME, None, LITTLE),
    ]
    assert there(arbitration).confirmed == ()
    supervisor(arbitration).confirm_amendment(pending, roll_lines())
    assert there(arbitration).confirmed == (pending,)
    assert there(arbitration).removed == {SECOND.sub}
    with pytest.raises(UserError, match="no amendment"):
        supervisor(arbitration).pending_amendment("m-1", 0.0)


def test_a_second_amendment_begins_where_the_first_ended(
    database: Database, arbitration: Arbitration
) -> None:
    mine = announce(database, arbitration)
    propose(mine)
    supervisor(arbitration).confirm_amendment(waiting(arbitration), roll_lines())
    again = mine.propose_amendment("m-1", {SECOND.sub: LITTLE}, reason="again", decision=DECISION)
    assert (again.no, again.changes[0].before) == (2, None)
    supervisor(arbitration).confirm_amendment(again, roll_lines())
    assert there(arbitration).amended[SECOND.sub] == Amended(Entitlement(SECOND.claims), LITTLE)


def test_the_regulator_says_no_to_claims_that_the_roll_does_not_have(
    database: Database, arbitration: Arbitration
) -> None:
    mine = announce(database, arbitration)
    propose(mine)
    pending = waiting(arbitration)
    wrong = replace(pending, changes=(replace(pending.changes[0], before=None), *pending.changes[1:]))
    with pytest.raises(Negative, match="by the roll, but None by the amendment"):
        supervisor(arbitration).confirm_amendment(wrong, roll_lines())
    with pytest.raises(Negative, match="root"):
        supervisor(arbitration).confirm_amendment(pending, roll_lines()[1:])
    assert there(arbitration).confirmed == ()


def test_another_amendment_than_the_one_looked_at_is_not_confirmed(
    database: Database, arbitration: Arbitration
) -> None:
    mine = announce(database, arbitration)
    propose(mine)
    pending = waiting(arbitration)
    propose(mine, **{FIRST.sub: None})
    with pytest.raises(EndorseError):
        supervisor(arbitration).confirm_amendment(pending, roll_lines())
    assert there(arbitration).confirmed == ()


def test_an_amendment_that_changes_nothing_is_refused(database: Database, arbitration: Arbitration) -> None:
    mine = announce(database, arbitration)
    with pytest.raises(Refused) as caught:
        mine.propose_amendment(
            "m-1", {FIRST.sub: Entitlement(FIRST.claims)}, reason="none", decision=DECISION
        )
    assert caught.value.code == "AMENDMENT_FORMAT"


def test_only_where_the_roll_is_can_it_be_amended(arbitration: Arbitration, database: Database) -> None:
    mine = meetings.convener(database, arbitration)
    with pytest.raises(UserError, match="doesn't hold the roll") as caught:
        propose(mine)
    assert caught.value.code == "MEETING_NOT_FOUND"


def test_closing_leaves_out_the_ballots_of_lenders_off_the_roll(
    database: Database, arbitration: Arbitration
) -> None:
    mine = close(database, arbitration, ballots=3)
    with database.write() as session:
        one = session.query(Ballot).filter_by(sub="s0").one()
        session.add(
            Ballot(
                **{name: getattr(one, name) for name in Ballot.__table__.columns.keys() if name != "id"}  # noqa: SIM118
                | {"sub": SECOND.sub, "digest": "d9", "ack_no": 9}
            )
        )
    with pytest.raises(UserError, match="totalQueryLimit"):
        mine.propose_step("m-1", "closed")
    propose(mine)
    supervisor(arbitration).confirm_amendment(waiting(arbitration), roll_lines())
    assert mine.propose_step("m-1", "closed").ballots == 3


def test_a_peer_whose_amendments_do_not_add_up_is_not_believed(
    database: Database, arbitration: Arbitration, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose(announce(database, arbitration))
    honest = arbitration.GetAmendments

    def other(stub: object, arguments: tuple[bytes, ...]) -> bytes:
        answer = json.loads(honest(stub, arguments))  # type: ignore[arg-type]
        answer["amended"] = [{"sub": CAME, "before": None, "after": LITTLE.as_json()}]
        return jcs.dumps(answer)

    monkeypatch.setitem(arbitration.ledger.functions, "GetAmendments", other)
    with pytest.raises(UserError, match="not to be trusted"):
        there(arbitration)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"AAAAAAAAAAAAAAAAAAAAAA":{"claims":[]},"AAAAAAAAAAAAAAAAAAAAAA":null}', "AAAA"),
        (b"[]", "not an object"),
        (b"{}", "not an object"),
        (b'{"an":null}', "an"),
        (b'{"AAAAAAAAAAAAAAAAAAAAAA":{"claims":[]}}', "no claim"),
        (b'{"AAAAAAAAAAAAAAAAAAAAAA":{"claims":[{"class":"a","fen":0}]}}', "AAAA"),
    ],
)
def test_a_file_of_changes_that_is_none(data: bytes, why: str) -> None:
    with pytest.raises(UserError, match=why):
        read_entitlements(data)


def test_a_file_of_changes() -> None:
    data = jcs.dumps({FIRST.sub: LITTLE.as_json(), SECOND.sub: None})
    assert read_entitlements(data) == {FIRST.sub: LITTLE, SECOND.sub: None}
