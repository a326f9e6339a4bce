"""The identity service's promises on a real PostgreSQL, with several services on one store at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from biometrics.review.officers import appoint
from biometrics.service.app import create_app
from biometrics.service.service import Surroundings, build
from biometrics.store import Database
from biometrics.store.migrate import VERSION_TABLE
from biometrics.store.models import Base
from client.platform import Vault
from tests.integration.test_platform_postgresql import pytestmark, server
from tests.unit.biometrics_service.doubles import (
    INSTITUTION,
    MEETING,
    NOON,
    Clock,
    EnrolmentsDouble,
    InlinePool,
    LedgerDouble,
    MeetingsDouble,
    Person,
    PhotosDouble,
    Streaming,
    send,
)
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

__all__ = ["pytestmark", "server"]  # the server and what it needs are those of the platform's tests


class Services:
    """Several services on one store."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock, self.ledger = Clock(), LedgerDouble()
        self.enrolments, self.photos = EnrolmentsDouble(), PhotosDouble()
        self.vault = Vault.open(folder / "identity.key")
        self.url = url
        self.stores: list[Database] = []

    def another(self) -> FlaskClient:
        store = Database.open(self.url)
        self.stores.append(store)
        given = Surroundings(
            database=store,
            sealer=self.vault,
            sources=[self.photos],
            enrolments=self.enrolments,
            meetings=MeetingsDouble(),
            recorder=self.ledger,
            keeper=self.ledger,
            checker="tests.unit.biometrics_service.stub_checker:make",
            pool=InlinePool(),
            linger=0,
            clock=self.clock,
            milliseconds=self.clock.milliseconds,
        )
        return create_app(build(given)).test_client()

    def lender(self, web: FlaskClient) -> Person:
        person = Person.new(self.clock)
        self.enrolments.by_sub[person.sub] = person.enrolment()
        self.photos.photos[person.sub] = jpeg("reference")
        person.consent(web)
        return person


@pytest.fixture
def services(server: Path, tmp_path: Path) -> Iterator[Services]:
    admin = create_engine(
        f"postgresql+psycopg://concordat@/postgres?host={server}", isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS identity WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE identity"))
    admin.dispose()
    made = Services(f"postgresql://concordat@/identity?host={server}", tmp_path)
    yield made
    for store in made.stores:
        store.close()


def test_migrations_make_exactly_the_models_tables(services: Services) -> None:
    services.another()
    with services.stores[0].engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, Base.metadata) == []


def test_of_services_that_get_a_check_at_once_one_uses_it(services: Services) -> None:
    webs = [services.another() for _ in range(4)]
    lender = services.lender(webs[0])
    for _ in range(5):
        opened = lender.open(webs[0]).get_json()
        uploads = [lender.frames("accept") for _ in webs]

        def upload(number: int, opened: dict[str, str] = opened, uploads: list[list] = uploads) -> str:  # type: ignore[type-arg]
            frames = uploads[number]
            proof = lender.prove(opened, frames)
            body = send(webs[number], opened["ses"], proof, frames).get_json()
            return str(body.get("code") or body["state"])

        with ThreadPoolExecutor(len(webs)) as pool:
            results = list(pool.map(upload, range(len(webs))))
        # Only the service that opened it can go on with it; whoever came after its end is told of that.
        assert results[0] == "recorded"
        assert set(results[1:]) <= {"CHECK_ELSEWHERE", "CHECK_USED"}
        uploads = [lender.frames("accept") for _ in webs]
        assert [upload(number, opened, uploads) for number in range(4)] == ["CHECK_USED"] * 4


def test_a_check_opened_at_another_service_ends_the_one_that_goes_on_here(services: Services) -> None:
    here, there = services.another(), services.another()
    lender = services.lender(here)
    first = Streaming.open(here, lender, services.clock)
    assert first.send("look").status_code == 200
    second = Streaming.open(there, lender, services.clock)
    assert first.send("look").get_json()["code"] == "CHECK_ENDED"
    assert second.send("accept", last=True).get_json()["state"] == "recorded"


def test_a_decision_and_a_newer_opening_at_once_end_well(services: Services) -> None:
    here, there = services.another(), services.another()
    for _ in range(12):
        lender = services.lender(here)
        check = Streaming.open(here, lender, services.clock)
        check.send("look")
        frames = check.take("reject")
        with ThreadPoolExecutor(2) as pool:
            decided = pool.submit(check.post, frames, last=True)
            opened = pool.submit(lender.open, there)
            answers = decided.result().get_json(), opened.result()
        assert answers[0].get("code") == "CHECK_ENDED" or answers[0]["state"] in {"rejected", "superseded"}
        assert answers[1].status_code == 201


def test_frames_sent_to_two_services_at_once_pass_in_one(services: Services) -> None:
    checks = []
    for _ in range(4):
        web = services.another()
        checks.append(Streaming.open(web, services.lender(web), services.clock))
    frames = checks[0].take("look", 15, spends=1500)
    assert [check.post(frames).status_code for check in checks] == [200] * 4

    def finish(number: int) -> str:
        return str(checks[number].post(finals[number], last=True).get_json()["state"])

    finals = [check.person.frames("accept", 3, 1500) for check in checks]
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(finish, range(4))) == ["recorded"] + ["rejected"] * 3


def test_attempts_opened_at_once_are_all_counted(services: Services) -> None:
    webs = [services.another() for _ in range(4)]
    lender = services.lender(webs[0])
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda number: lender.open(webs[number % 4]).status_code, range(12)))
    # Each opening ends the one before as a failure: after five the next one has to wait.
    assert (codes.count(201), codes.count(429)) == (5, 7)
    with services.stores[0].engine.connect() as connection:
        total, consecutive = connection.execute(
            text("select total, consecutive from identity_limits where scope <> 'ALL'")
        ).one()
        overall = connection.execute(
            text("select total from identity_limits where scope = 'ALL'")
        ).scalar_one()
    assert (total, consecutive, overall) == (5, 5, 5)


def test_a_slot_is_never_overbooked(services: Services) -> None:
    webs = [services.another() for _ in range(4)]
    officer = Person.new(services.clock, "officer-one", "Officer")
    with services.stores[0].write() as session:
        appoint(session, INSTITUTION, officer.certificate, NOON)
    value = {"kind": "video", "place": "call", "starts_at": NOON + 60, "minutes": 5, "capacity": 3}
    slot = officer.ask(webs[0], "POST", "/v1/slots", value).get_json()["id"]
    lenders = [services.lender(webs[0]) for _ in range(8)]

    def book(number: int) -> int:
        lender = lenders[number]
        asked = lender.me(slot=slot, mtg=MEETING)
        return lender.ask(webs[number % 4], "POST", "/v1/bookings", asked).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(book, range(8))) == [201] * 3 + [409] * 5
