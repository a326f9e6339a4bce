from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from biometrics.review.officers import appoint
from biometrics.service.app import create_app
from biometrics.service.service import IdentityService, Surroundings, build
from biometrics.store import Database
from client.platform import Vault
from tests.unit.biometrics_service.doubles import (
    INSTITUTION,
    Clock,
    EnrolmentsDouble,
    InlinePool,
    LedgerDouble,
    MeetingsDouble,
    Person,
    PhotosDouble,
    Streaming,
)
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient


@dataclass(slots=True)
class World:
    """A service with everything around it."""

    service: IdentityService
    web: FlaskClient
    database: Database
    vault: Vault
    ledger: LedgerDouble
    enrolments: EnrolmentsDouble
    meetings: MeetingsDouble
    photos: PhotosDouble
    pool: InlinePool
    clock: Clock
    surroundings: Surroundings

    def lender(self, *consents: str) -> Person:
        """Return an enrolled lender with a reference picture and the consents named (default: all)."""
        person = Person.new(self.clock)
        self.enrolments.by_sub[person.sub] = person.enrolment()
        self.photos.photos[person.sub] = jpeg("reference")
        if consents != ("none",):
            person.consent(self.web, *consents)
        return person

    def stream(self, person: Person | None = None) -> Streaming:
        """Return a check that a lender (default: a new one) has just opened."""
        return Streaming.open(self.web, person or self.lender(), self.clock)

    def officer(self, name: str, msp: str = INSTITUTION) -> Person:
        person = Person.new(self.clock, name, "Officer")
        with self.database.write() as session:
            appoint(session, msp, person.certificate, self.clock())
        return person

    def another_process(self) -> FlaskClient:
        """Return a client of a second service on the same store."""
        return create_app(build(replace(self.surroundings, pool=InlinePool()))).test_client()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with all its tables: copying it is faster than migrating once a test."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    database = Database.open(f"sqlite:///{path}")
    database.close()
    return path


@pytest.fixture
def world(tmp_path: Path, empty_store: Path) -> Iterator[World]:
    shutil.copy(empty_store, tmp_path / "identity.db")
    database = Database.open(f"sqlite:///{tmp_path / 'identity.db'}")
    # What is tested is not the disk: without waiting for it these tests take a third of the time.
    event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    database.engine.dispose()
    vault = Vault.open(tmp_path / "keys" / "identity.key")
    ledger, enrolments, photos = LedgerDouble(), EnrolmentsDouble(), PhotosDouble()
    meetings = MeetingsDouble()
    pool, clock = InlinePool(), Clock()
    surroundings = Surroundings(
        database=database,
        sealer=vault,
        sources=[photos],
        enrolments=enrolments,
        meetings=meetings,
        recorder=ledger,
        keeper=ledger,
        checker="tests.unit.biometrics_service.stub_checker:make",
        pool=pool,
        linger=0.0,
        clock=clock,
        milliseconds=clock.milliseconds,
    )
    service = build(surroundings)
    web = create_app(service).test_client()
    yield World(
        service, web, database, vault, ledger, enrolments, meetings, photos, pool, clock, surroundings
    )
    service.close()
    database.close()
