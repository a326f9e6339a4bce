"""Checks of proxies: each is for one principal's ballot, and says so on the ledger and in its evidence."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from biometrics.store.models import Check
from biometrics.terms.binding import Binding, Lender
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.scopes import ENROLMENT
from client.encodings import base64url, jcs
from tests.unit.biometrics_service.doubles import INSTITUTION, MEETING, send
from tests.unit.biometrics_service.test_checks import refused
from tests.unit.biometrics_service.test_officers import slot

if TYPE_CHECKING:
    from tests.unit.biometrics_service.conftest import World

PRINCIPAL, OTHER = (base64url.encode(os.urandom(16)) for _ in range(2))


def test_a_proxys_check_names_the_principal(world: World) -> None:
    proxy = world.lender()
    for principal in (PRINCIPAL, OTHER, None):
        acting = {} if principal is None else {"act": principal}
        opened = proxy.ask(world.web, "POST", "/v1/checks", proxy.me(mtg=MEETING, **acting)).get_json()
        frames = proxy.frames("accept")
        assert send(world.web, opened["ses"], proxy.prove(opened, frames), frames).status_code == 200
        recorded = world.ledger.sessions[opened["ses"]]
        assert (recorded.sub, recorded.act) == (proxy.sub, principal)
        evidence: Any = jcs.loads(world.ledger.openings[opened["ses"]].evidence)
        assert evidence.get("act") == principal


def test_an_attendance_of_a_proxy_names_the_principal_too(world: World) -> None:
    proxy = world.lender()
    where = slot(world, world.officer("officer-one")).get_json()["id"]
    asked = proxy.me(slot=where, mtg=MEETING, act=PRINCIPAL)
    booked = proxy.ask(world.web, "POST", "/v1/bookings", asked)
    assert booked.status_code == 201, booked.json
    with world.service.parts.database.read() as session:
        acting = session.scalars(select(Check.act).where(Check.ses == booked.get_json()["ses"])).one()
    assert acting == PRINCIPAL


@pytest.mark.parametrize("act", ["", "somebody", PRINCIPAL + "A", "own"])
def test_nobody_and_oneself_are_no_principals(world: World, act: str) -> None:
    proxy = world.lender()
    asked = proxy.me(mtg=MEETING, act=proxy.sub if act == "own" else act)
    refused(proxy.ask(world.web, "POST", "/v1/checks", asked), "REQUEST_FORMAT", 400)


def test_nobody_is_enrolled_for_another(world: World) -> None:
    sub, key = world.lender().sub, base64url.encode(os.urandom(32))
    with pytest.raises(ServiceRefused) as caught:
        Binding(Lender(INSTITUTION, sub), key, ENROLMENT, PRINCIPAL)
    assert caught.value.code == "REQUEST_FORMAT"
