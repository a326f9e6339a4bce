"""Tables of the identity service, as typed SQLAlchemy models.

Times are whole seconds since 1970 (UTC). Columns called `…_encrypted` hold what the sealer sealed;
nothing personal but the random pseudonym `sub` stands anywhere else, and no template is stored at all.
`scope` is what a limit, a booking or a check is about: a meeting's id, or one of `terms.scopes`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables, with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text(), bytes: LargeBinary(), int: BigInteger()}  # noqa: RUF012  SQLAlchemy's form


class Check(Base):
    """One identity check, from its opening to its end. `state` only ever advances."""

    __tablename__ = "identity_checks"
    __table_args__ = (Index("ix_identity_checks_lender", "institution", "sub", "scope"),)

    ses: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(unique=True)
    institution: Mapped[str]
    sub: Mapped[str]
    key: Mapped[str]  # thumbprint of the certificate (meeting) or of the public key (enrolment)
    public_key: Mapped[bytes]  # SPKI, DER; what the frames have to be signed with
    scope: Mapped[str]
    act: Mapped[str | None]  # the principal whose ballot a proxy will cast
    factor: Mapped[str]  # the second factor that was shown at opening
    state: Mapped[str] = mapped_column(index=True)
    opened_at: Mapped[int]
    complete_before: Mapped[int]
    decided_at: Mapped[int | None]
    decision_ms: Mapped[int | None]  # from the last frames' arrival to the decision
    reasons: Mapped[str]  # JSON list of codes
    record: Mapped[str | None]  # JCS of the session record, or of an enrolment's approval, once accepted
    opening_encrypted: Mapped[bytes | None]  # salt and evidence until the recorder has them
    expires_at: Mapped[int | None]


class Limit(Base):
    """Attempts of one lender at one scope; locked by whoever opens or ends a check."""

    __tablename__ = "identity_limits"

    institution: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    consecutive: Mapped[int]
    total: Mapped[int]
    blocked_until: Mapped[int]
    last_at: Mapped[int] = mapped_column(index=True)  # of the last attempt: what retention goes by


class SeenFrame(Base):
    """A keyed hash of a frame that was used: it may not be used again."""

    __tablename__ = "identity_seen_frames"

    frame_index: Mapped[bytes] = mapped_column(primary_key=True)
    ses: Mapped[str]
    scope: Mapped[str] = mapped_column(index=True)
    seen_at: Mapped[int]


class UsedProof(Base):
    """The id of a signed request that was taken: it may not be sent again."""

    __tablename__ = "identity_used_proofs"

    jti: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[int] = mapped_column(index=True)


class Consent(Base):
    """A consent, to one thing, to one version of its text; withdrawn by setting the time."""

    __tablename__ = "identity_consents"
    __table_args__ = (Index("ix_identity_consents_lender", "institution", "sub"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    institution: Mapped[str]
    sub: Mapped[str]
    kind: Mapped[str]  # face | transmission | recording
    version: Mapped[str]
    text_digest: Mapped[str]  # of the text that was shown, base64url SHA-256
    given_at: Mapped[int]
    withdrawn_at: Mapped[int | None]  # or when it lapsed


class Invitation(Base):
    """The secret that reached a lender by the institution's own channel, as a keyed hash."""

    __tablename__ = "identity_invitations"

    institution: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    secret_index: Mapped[bytes]
    expires_at: Mapped[int]
    failures: Mapped[int]
    used_at: Mapped[int | None]


class ReferencePhoto(Base):
    """A reference picture that an institution handed over."""

    __tablename__ = "identity_reference_photos"
    __table_args__ = (UniqueConstraint("institution", "sub", "kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    institution: Mapped[str]
    sub: Mapped[str]
    kind: Mapped[str]  # kyc-photo | id-document-photo
    photo_encrypted: Mapped[bytes]
    kept_at: Mapped[int]


class Case(Base):
    """Something for officers to decide: a check that policy wants looked at, or an attendance."""

    __tablename__ = "identity_cases"
    __table_args__ = (Index("ix_identity_cases_lender", "institution", "sub"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # review | attendance
    institution: Mapped[str]
    sub: Mapped[str]
    scope: Mapped[str]
    ses: Mapped[str] = mapped_column(ForeignKey("identity_checks.ses"))
    booking: Mapped[str | None] = mapped_column(ForeignKey("identity_bookings.id"))
    finding: Mapped[str]  # JSON: reasons and distances; nothing that shows a face
    automatic_encrypted: Mapped[bytes | None]  # a review's: the evidence of the face work, until decided
    state: Mapped[str] = mapped_column(index=True)  # open | accepted | rejected | lapsed | withdrawn
    needed: Mapped[int]  # how many different officers have to accept
    opened_at: Mapped[int]
    decide_before: Mapped[int]
    taken_by: Mapped[str | None]
    taken_until: Mapped[int]


class CaseFrame(Base):
    """A frame kept for a review, with the lender's own consent; gone at its decision or after 72 h."""

    __tablename__ = "identity_case_frames"

    case: Mapped[str] = mapped_column(ForeignKey("identity_cases.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    frame_encrypted: Mapped[bytes]
    kept_at: Mapped[int] = mapped_column(index=True)


class Decision(Base):
    """One officer's word on a case, with the statement that the officer signed."""

    __tablename__ = "identity_decisions"
    __table_args__ = (UniqueConstraint("case", "officer"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("identity_cases.id"))
    officer: Mapped[str]
    verdict: Mapped[str]  # accept | reject
    reason: Mapped[str]
    decided_at: Mapped[int]
    statement: Mapped[str]  # the signed request, compact JWS


class Officer(Base):
    """An officer who may decide: known by organization, name in the certificate, and thumbprint."""

    __tablename__ = "identity_officers"

    id: Mapped[str] = mapped_column(primary_key=True)  # MSP/common name: one person, whatever the certificate
    x5t: Mapped[str] = mapped_column(unique=True)
    certificate: Mapped[bytes]  # DER
    active: Mapped[bool]
    added_at: Mapped[int]


class Slot(Base):
    """A time at which officers identify people by video call or at a counter."""

    __tablename__ = "identity_slots"

    id: Mapped[str] = mapped_column(primary_key=True)
    institution: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]  # video | counter
    place: Mapped[str]
    starts_at: Mapped[int]
    minutes: Mapped[int]
    capacity: Mapped[int]
    booked: Mapped[int]


class Booking(Base):
    """A lender's place in a slot."""

    __tablename__ = "identity_bookings"
    __table_args__ = (
        Index(
            "uq_identity_bookings_standing",
            "institution",
            "sub",
            "scope",
            unique=True,
            sqlite_where=text("state = 'booked'"),
            postgresql_where=text("state = 'booked'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(ForeignKey("identity_slots.id"))
    institution: Mapped[str]
    sub: Mapped[str]
    scope: Mapped[str]
    state: Mapped[str]  # booked | cancelled | done
    booked_at: Mapped[int]


class Settlement(Base):
    """A meeting after which nothing can be objected to any more: objections decided, awards given."""

    __tablename__ = "identity_settlements"

    mtg: Mapped[str] = mapped_column(primary_key=True)
    settled_at: Mapped[int]
    institution: Mapped[str]
    officer: Mapped[str]  # who noted it
    statement: Mapped[str]  # the signed request, compact JWS


class Deletion(Base):
    """What was deleted, when and why, in numbers; nothing that says about whom."""

    __tablename__ = "identity_deletions"

    id: Mapped[str] = mapped_column(primary_key=True)
    deleted_at: Mapped[int] = mapped_column(index=True)
    what: Mapped[str]  # JCS {kind: number of rows}
    why: Mapped[str]
