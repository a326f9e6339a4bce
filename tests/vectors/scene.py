"""A scene that vectors play in: meetings, lenders, keys, certificates, a roll; all from fixed seeds.

A `Scene` may as well be made for a running network, with its genesis hashes, its lender
CA and its identity service: the cases in `cases.py` take either.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client.encodings import base64url, certificates, es256, merkle, times
from client.encodings.ballot import Ballot, SignedBallot, Vote, sign_ballot
from client.encodings.commitment import commit
from client.encodings.leaf import Claim, Leaf
from client.encodings.meeting import Meeting, meeting_from_json
from client.encodings.records import Enrolment, Session
from client.encodings.roll_parts import disputed_of, exclusions_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSTITUTION = "InstitutionAMSP"
OPENS_AT = "2026-03-02T01:00:00Z"
CLOSES_AT = "2026-03-09T10:00:00Z"
ACK_TIME = times.parse("2026-03-03T08:30:00Z")
DOOR = "AssociationMSP"


def seeded(*parts: object) -> bytes:
    """Return 32 bytes that depend on the parts alone."""
    return hashlib.sha256("/".join(["concordat vectors", *map(str, parts)]).encode()).digest()


@cache
def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    scalar = int.from_bytes(seeded("key", name), "big") % (es256.ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def random_id(name: str) -> str:
    return base64url.encode(seeded("id", name)[:16])


@cache
def certificate_of(name: str, common_name: str, issuer: str) -> bytes:
    """Return the DER certificate of a key, issued by another key's root (or by itself)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(root if name == issuer else subject)
        .issuer_name(root)
        .public_key(key_of(name).public_key())
        .serial_number(int.from_bytes(seeded("serial", name)[:8], "big") + 1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
    )
    signed = builder.sign(key_of(issuer), hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True)
class Lender:
    """A lender on the roll, with a key, a certificate and one passed identity check a meeting."""

    name: str
    sub: str
    certificate: bytes
    claims: tuple[Claim, ...]

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return key_of(self.name)

    @property
    def x5t(self) -> str:
        return certificates.thumbprint(self.certificate)

    def enrolment(self, **changes: Any) -> Enrolment:
        record = Enrolment(
            sub=self.sub,
            certificate=self.certificate,
            x5t=self.x5t,
            institution=INSTITUTION,
            method="insecure-demo",
            commitment=commit(seeded("salt", self.name), {"v": 1}),
            status="active",
            rev=1,
            tx=seeded("tx", self.name).hex(),
        )
        return replace(record, **changes)


@dataclass
class Scene:
    """One meeting with its whole roll, and the lenders whose keys are at hand."""

    meeting: Meeting
    leaves: Sequence[Leaf]
    lenders: Mapping[str, Lender]
    tree: merkle.Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = merkle.Tree(leaf.hash() for leaf in self.leaves)

    @property
    def cap(self) -> tuple[bytes, ...]:
        return self.tree.cap(self.meeting.roll.cap_height)

    def index(self, lender: Lender) -> int:
        return next(index for index, leaf in enumerate(self.leaves) if leaf.sub == lender.sub)

    def leaf(self, lender: Lender) -> Leaf:
        return self.leaves[self.index(lender)]

    def proof(self, lender: Lender) -> tuple[bytes, ...]:
        return self.tree.run_path(self.index(lender), self.meeting.roll.cap_height)

    def session(self, lender: Lender, number: int = 1, /, **changes: Any) -> Session:
        record = Session(
            ses=random_id(f"session {self.meeting.mtg} {lender.name} {number}"),
            sub=lender.sub,
            x5t=lender.x5t,
            institution=self.meeting.institution,
            mtg=self.meeting.mtg,
            method="insecure-demo",
            outcome="accept",
            commitment=commit(seeded("session salt", lender.name), {"v": 1}),
            issued_at="2026-03-03T08:25:00Z",
            expires_at="2026-03-03T08:40:00Z",
        )
        return replace(record, **changes)

    def ballot(self, lender: Lender, votes: Mapping[str, Vote] | None = None, seq: int = 1) -> Ballot:
        """Return a legal ballot of the lender, its session the one numbered as its seq."""
        return Ballot(
            mh=self.meeting.mh,
            mtg=self.meeting.mtg,
            sub=lender.sub,
            seq=seq,
            ses=self.session(lender, seq).ses,
            iat="2026-03-03T08:29:57Z",
            votes=votes or self.votes(),
        )

    def signed(self, lender: Lender, votes: Mapping[str, Vote] | None = None, seq: int = 1) -> SignedBallot:
        return sign_ballot(self.ballot(lender, votes, seq), lender.x5t, lender.key)

    def votes(self) -> dict[str, Vote]:
        """Return the first choice of every motion."""
        return {
            motion.id: motion.choices[0] if motion.max_choices == 1 else (motion.choices[0],)
            for motion in self.meeting.motions
        }


CLAIMS = {
    "an": (Claim("individual", 12_345_67),),
    "bo": (Claim("individual", 1), Claim("wealth-plan", 250_000_00)),
    "chen": (Claim("enterprise", 98_765_432_10),),
    "ding": (Claim("individual", 50_000_00),),
    "zeng": (Claim("individual", 7_00), Claim("wealth-plan", 8_01)),
}

LAST_SUB = "zzzzzzzzzzzzzzzzzzzzzA"
"""Sorts after every other, so that one lender is in the last, partial run."""


def make_lenders(claims_of: Mapping[str, tuple[Claim, ...]] | None = None) -> dict[str, Lender]:
    lenders = {}
    for name, claims in (CLAIMS | dict(claims_of or {})).items():
        sub = LAST_SUB if name == "zeng" else random_id(f"lender {name}")
        lenders[name] = Lender(name, sub, certificate_of(name, sub, "lender-ca"), claims)
    return lenders


def _leaves(
    mtg: str, lenders: Mapping[str, Lender], fillers: int, excluded: Mapping[str, tuple[str, ...]]
) -> list[Leaf]:
    leaves = [
        Leaf(mtg, one.sub, one.claims, seeded("leaf salt", mtg, one.sub)[:16], excluded.get(one.name, ()))
        for one in lenders.values()
    ]
    for number in range(fillers):
        sub = random_id(f"filler {number}")
        claim = Claim(("individual", "wealth-plan")[number % 2], 100_00 + number)
        leaves.append(Leaf(mtg, sub, (claim,), seeded("leaf salt", mtg, sub)[:16]))
    return sorted(leaves, key=lambda leaf: leaf.sub)


TWO_THIRDS = {
    "profile": "cn-p2p-exit",
    "yes": ["approve"],
    "abstain": ["abstain"],
    "tests": [
        {
            "name": "heads",
            "scope": "all",
            "count": "yes",
            "base": "voted",
            "unit": "heads",
            "comparator": ">",
            "fraction": [1, 2],
        },
        {
            "name": "participation",
            "scope": "all",
            "count": "present",
            "base": "eligible",
            "unit": "fen",
            "comparator": ">=",
            "fraction": [2, 3],
        },
        {
            "name": "value",
            "scope": "all",
            "count": "yes",
            "base": "present",
            "unit": "fen",
            "comparator": ">",
            "fraction": [1, 2],
        },
    ],
}


def motion(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "kind": "resolution",
        "title": f"Motion {name}: 债务重组方案",
        "choices": ["approve", "reject", "abstain"],
        "max_choices": 1,
        "rules": TWO_THIRDS,
    } | changes


def committee(choices: Sequence[str], most: int) -> dict[str, Any]:
    """Return a resolution with up to `most` of `choices`, of which the first is in favour."""
    test = TWO_THIRDS["tests"][1]
    rules = {"profile": "committee", "yes": [choices[0]], "abstain": [], "tests": [test]}
    return motion("committee", choices=list(choices), max_choices=most, rules=rules)


def election(names: Sequence[str], seats: int) -> dict[str, Any]:
    """Return a motion that elects up to `seats` of `names`, or none of them."""
    tests: Any = TWO_THIRDS["tests"]
    test = tests[0] | {"scope": "each"}
    rules = {"profile": "board", "yes": [], "abstain": ["none"], "tests": [test]}
    seating = {"seats": seats, "by": "fen", "tie": "heads"}
    named = {"choices": [*names, "none"], "max_choices": seats, "rules": rules}
    return motion("board", kind="election", **named, **seating)


def record(mtg: str, leaves: Sequence[Leaf], cap_height: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return a meeting's record as JSON for the roll of `leaves`."""
    tree = merkle.Tree(leaf.hash() for leaf in leaves)
    classes: dict[str, list[int]] = {}
    for leaf in leaves:
        for claim in leaf.claims:
            cell = classes.setdefault(claim.cls, [0, 0])
            cell[0] += 1
            cell[1] += claim.fen
    return {
        "v": 2,
        "mtg": mtg,
        "institution": INSTITUTION,
        "title": "Meeting of lenders: 出借人会议",
        "scheme": "open-v1",
        "documents": [{"name": "Plan.pdf", "sha256": hashlib.sha256(b"plan").hexdigest()}],
        "roll": {
            "root": base64url.encode(tree.root),
            "size": len(leaves),
            "heads": len(leaves),
            "fen": sum(leaf.fen for leaf in leaves),
            "cap_height": merkle.cap_height(len(leaves)) if cap_height is None else cap_height,
            "snapshot": "2026-01-31T16:00:00Z",
            "classes": [
                {"class": name, "heads": cell[0], "fen": cell[1]} for name, cell in sorted(classes.items())
            ],
            "excluded": [
                {"motion": line.motion, "class": line.cls, "heads": line.heads, "fen": line.fen}
                for line in exclusions_of(leaves)
            ],
            "disputed": [
                {"class": line.cls, "heads": line.heads, "fen": line.fen}
                | ({} if line.motion is None else {"motion": line.motion})
                for line in disputed_of(leaves)
            ],
        },
        "motions": [motion("m1"), motion("m2")],
        "revote": "none",
        "replaces": None,
        "proxies": False,
        "methods": ["face-v1", "insecure-demo"],
        "opens_at": OPENS_AT,
        "closes_at": CLOSES_AT,
        "objections_until": "2026-03-24T10:00:00Z",
        "genesis": {
            "identity": seeded("genesis", "identity").hex(),
            "arbitration-institutiona": seeded("genesis", "arbitration").hex(),
        },
    } | changes


def make_scene(
    mtg: str,
    fillers: int,
    claims: Mapping[str, tuple[Claim, ...]] | None = None,
    excluded: Mapping[str, tuple[str, ...]] | None = None,
    **changes: Any,
) -> Scene:
    """Return a scene; `claims` and `excluded` are those of some lenders, by name, in place of the usual."""
    lenders = make_lenders(claims)
    leaves = _leaves(mtg, lenders, fillers, excluded or {})
    return Scene(meeting_from_json(record(mtg, leaves, **changes)), leaves, lenders)


@cache
def scenes() -> dict[str, Scene]:
    """Return the meetings of the vectors.

    `plain` has 8,195 leaves, so its cap has height 2 and a partial last run; `revote` 7,
    so its cap is the leaves; `wide` a choice so long that a ballot can be too long; `first` lets the first of
    several ballots stand; `proxies` takes mandates and revotes; `special` has a disputed claim, lenders
    excluded from motions, an election, and proxies.
    """
    names = ["li-wei", "wang-fang", "zhang-min", "zhao-lei"]
    long_names = [f"candidate-{number:02d}-{'x' * 27}" for number in range(80)]
    return {
        "plain": make_scene("2026-exit-a", 8190, cap_height=2),
        "revote": make_scene("2026-committee", 2, revote="last", motions=[motion("m1"), committee(names, 3)]),
        "wide": make_scene("2026-wide", 0, motions=[committee(long_names, 80)]),
        "first": make_scene("2026-first", 0, revote="first"),
        "proxies": make_scene("2026-proxies", 0, revote="last", proxies=True),
        "special": make_scene(
            "2026-special",
            0,
            claims={"bo": (CLAIMS["bo"][0], replace(CLAIMS["bo"][1], decision=seeded("decision").hex()))},
            excluded={"bo": ("m2",), "chen": ("board", "m2")},
            motions=[motion("m2"), election(names, 2), motion("m1")],
            proxies=True,
            replaces={"mtg": "2026-before", "mh": base64url.encode(seeded("before")), "why": "postponed"},
        ),
    }
