from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from client.bench.cohort import CohortRecords, Term
from client.bench.issuer import BenchIssuer
from client.bench.shards import SHARD, Cohort
from client.encodings import certificates
from client.encodings.ballot import parse_ballot
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting

if TYPE_CHECKING:
    from pathlib import Path

    from client.encodings.meeting import Meeting

INSTITUTION = "InstitutionAMSP"


def cohort(root: Path, issuer: BenchIssuer, count: int, seed: int = 1) -> Cohort:
    found = Cohort.at(root, issuer, INSTITUTION, count, seed)
    found.make(issuer, seed, lambda _: None)
    return found


@pytest.fixture(scope="module")
def issuer() -> BenchIssuer:
    return BenchIssuer.make()


@pytest.fixture(scope="module")
def kept(issuer: BenchIssuer, tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return cohort(tmp_path_factory.mktemp("cohorts"), issuer, SHARD + 5)


def meeting_of(kept: Cohort, mtg: str) -> Meeting:
    roll = FrozenRoll.freeze((voter.leaf(mtg) for voter in kept.voters(0, 5)), "2026-03-02T07:00:00Z")
    return build_meeting(
        mtg=mtg,
        institution=INSTITUTION,
        title="Benchmark",
        roll=roll.summary,
        motions=motions(["Plan", "Committee"]),
        opens_at="2026-03-02T08:00:00Z",
        closes_at="2026-03-02T09:00:00Z",
        objections_until="2026-03-02T10:00:00Z",
        genesis={"identity": "a" * 64, "arbitration-institutiona": "b" * 64},
    )


def test_every_voter_has_a_key_a_pseudonym_and_a_certificate_of_their_own(
    kept: Cohort, issuer: BenchIssuer
) -> None:
    voters = list(kept.voters(0, kept.count))
    assert len(voters) == kept.count
    for one in ({voter.sub for voter in voters}, {voter.scalar for voter in voters}):
        assert len(one) == kept.count
    voter = voters[0]
    key = ec.derive_private_key(int.from_bytes(voter.scalar, "big"), ec.SECP256R1())
    assert certificates.public_key(voter.certificate) == key.public_key()
    assert issuer.der != voter.certificate


def test_spans_are_cut_across_shards(kept: Cohort) -> None:
    whole = [voter.sub for voter in kept.voters(0, kept.count)]
    assert [voter.sub for voter in kept.voters(SHARD - 2, SHARD + 3)] == whole[SHARD - 2 : SHARD + 3]
    chunks = [[voter.sub for voter in chunk] for chunk in kept.chunks(SHARD - 3, SHARD + 4, 3)]
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    assert [sub for chunk in chunks for sub in chunk] == whole[SHARD - 3 : SHARD + 4]


def test_what_is_there_is_not_made_again_and_what_was_killed_is(kept: Cohort, issuer: BenchIssuer) -> None:
    before = [voter.sub for voter in kept.voters(0, kept.count)]
    kept.shard(1).with_suffix(".4711").write_bytes(b"half of a sh")  # what a killed process leaves
    steps: list[int] = []
    kept.make(issuer, 1, steps.append)
    assert steps == [kept.count]
    assert [voter.sub for voter in kept.voters(0, kept.count)] == before
    kept.shard(1).unlink()
    kept.make(issuer, 1, steps.append)
    assert steps[1:] == [SHARD, 5]
    after = [voter.sub for voter in kept.voters(0, kept.count)]
    assert after[:SHARD] == before[:SHARD]
    assert after[SHARD:] != before[SHARD:]


def test_larger_cohorts_share_whole_shards_and_other_inputs_share_none(
    kept: Cohort, issuer: BenchIssuer
) -> None:
    root = kept.folder.parent
    larger = Cohort.at(root, issuer, INSTITUTION, 2 * SHARD, 1)
    assert larger.shard(0) == kept.shard(0)
    assert larger.shard(1) != kept.shard(1)
    folders = {
        Cohort.at(root, by, institution, SHARD, seed).folder
        for by, institution, seed in (
            (issuer, INSTITUTION, 1),
            (issuer, INSTITUTION, 2),
            (issuer, "InstitutionBMSP", 1),
            (BenchIssuer.make(), INSTITUTION, 1),
        )
    }
    assert len(folders) == 4


def test_keys_are_for_the_owner_alone(kept: Cohort) -> None:
    assert kept.shard(0).stat().st_mode & 0o777 == 0o600
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    assert repr(next(kept.voters(0, 1))).count("scalar") == 0


def test_a_ballot_is_signed_by_its_voter_and_names_the_session_of_that_meeting(kept: Cohort) -> None:
    meeting, other = meeting_of(kept, "bench-1"), meeting_of(kept, "bench-2")
    voter = next(kept.voters(0, 1))
    signed = parse_ballot(voter.ballot(meeting, random.Random(1)))  # noqa: S311
    signed.verify(certificates.public_key(voter.certificate))
    session = voter.session(Term.of(meeting.mtg))
    assert (signed.ballot.ses, signed.ballot.sub) == (session.ses, voter.sub)
    assert voter.session(Term.of(other.mtg)).ses != session.ses


def test_the_desks_records_are_those_of_the_voters_in_hand(kept: Cohort) -> None:
    first, second = list(kept.voters(0, 2)), list(kept.voters(2, 4))
    term, records = Term.of("bench-1"), CohortRecords()
    records.hold(first, term)
    subs = {voter.sub for voter in first + second}
    assert records.enrolments(subs, INSTITUTION).keys() == {voter.sub for voter in first}
    assert records.enrolments(subs, "InstitutionBMSP") == {}
    records.hold(second, term)
    asked = {voter.session(term).ses for voter in first + second}
    assert records.sessions(asked).keys() == {voter.session(term).ses for voter in second}
