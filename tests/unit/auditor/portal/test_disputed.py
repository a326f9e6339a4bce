"""Anchors, objections and awards on the pages; an anchor that the ballots deny hides the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.portal.app import create_app
from auditor.portal.parts import Parts
from auditor.portal.watch import Watcher
from auditor.replay.authority import Offices
from auditor.run import Roots
from client.encodings import base64url
from tests.unit.auditor.meeting_player import CHANNEL
from tests.unit.auditor.portal.peer import Peer
from tests.unit.auditor.portal.site import PATH
from tests.unit.auditor.test_disputes import Disputes

if TYPE_CHECKING:
    from auditor.log.service_db import ServiceDatabase
    from tests.unit.auditor.builder import Network
    from tests.unit.auditor.portal.site import Site


@pytest.fixture
def play(fabric: Network) -> Disputes:
    return Disputes(fabric).objecting()


def page(play: Disputes, database: ServiceDatabase, site: Site) -> str:
    watcher = Watcher(Peer(play), Roots(play.genesis, Offices()))
    watcher.refresh()
    client = create_app(Parts(watcher, database, site.stage.trust)).test_client()
    return client.get(PATH, headers={"Accept-Language": "en"}).get_data(as_text=True)


def test_objections_are_listed_without_who_objects(
    play: Disputes, database: ServiceDatabase, site: Site
) -> None:
    signed = play.objection()
    play.file(signed)
    said = page(play, database, site)
    assert "result not what the ballots give" in said
    assert "not answered" in said
    assert "undecided" in said
    assert signed.objection.sub not in said
    obj = signed.objection.obj
    play.answer(obj).decide(obj)
    decided = page(play, database, site)
    assert "contests" in decided
    assert "upheld (no remedy)" in decided
    assert "undecided" not in decided


def test_an_anchored_audit_is_listed(play: Disputes, database: ServiceDatabase, site: Site) -> None:
    assert "not anchored on the channel yet" in page(play, database, site)
    said = page(play.anchor(), database, site)
    assert "has anchored the final head" in said
    assert play.root(2) in said
    assert "found something wrong" not in said


def test_an_anchor_of_another_root_is_named_and_hides_the_result(
    play: Disputes, database: ServiceDatabase, site: Site
) -> None:
    play.anchor(root=base64url.encode(b"r" * 32))
    said = page(play, database, site)
    assert "the anchored root of 2 ballots is not the one that they give" in said
    assert "no result is shown" in said
    assert CHANNEL in said
