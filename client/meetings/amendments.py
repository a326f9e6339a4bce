"""Amendments of a frozen roll as the channel has them, and drawing one up."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.amendment import Amended, Amendment, Change, Entitlement, parse_amendment, parse_change
from client.encodings.errors import Refused
from client.errors import Negative, UserError
from client.gateway.errors import EvaluateError
from client.platform.chain import refusal_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from client.platform.chain import Contract

Entitlements = dict[str, Entitlement | None]
"""What lenders are to be on the roll with, by pseudonym; None: not on it."""


@dataclass(frozen=True, slots=True)
class Amendments:
    """A meeting's amendments: those confirmed, the one that waits, and whom they name.

    `roll` are the roll's figures as amended, in the members of a record's `roll`.
    """

    confirmed: tuple[Amendment, ...]
    pending: Amendment | None
    amended: Mapping[str, Amended]
    roll: Mapping[str, Any]

    @property
    def removed(self) -> frozenset[str]:
        """The lenders who are off the roll: their ballots don't count."""
        return frozenset(sub for sub, one in self.amended.items() if one.after is None)


def look_up_amendments(contract: Contract, mtg: str) -> Amendments:
    """Ask for a meeting's amendments; raise UserError (MEETING_NOT_FOUND), or for a peer's wrong answer.

    Nothing is believed that doesn't follow from the confirmed documents themselves.
    """
    try:
        answer = json.loads(contract.evaluate("GetAmendments", mtg))
    except EvaluateError as error:
        code = refusal_code(error)
        if code == "MEETING_NOT_FOUND":
            raise UserError(
                f"there is no meeting {mtg!r} on this channel: see `concordat meeting list`", code=code
            ) from error
        raise
    confirmed = tuple(_document(record) for record in answer["confirmed"])
    pending = None if answer.get("pending") is None else _document(answer["pending"])
    folded: dict[str, Amended] = {}
    for made in confirmed:
        for change in made.changes:
            before = folded[change.sub].before if change.sub in folded else change.before
            folded[change.sub] = Amended(before, change.after)
    told = {item["sub"]: (item["before"], item["after"]) for item in answer["amended"]}
    if told != {sub: (_json(one.before), _json(one.after)) for sub, one in folded.items()}:
        raise UserError(f"this peer's amendments of {mtg} don't add up: it is not to be trusted")
    return Amendments(confirmed, pending, folded, answer["roll"])


def _document(record: dict[str, Any]) -> Amendment:
    amendment = parse_amendment(jcs.dumps(record["document"]))
    if amendment.digest != record["digest"]:
        raise UserError("an amendment doesn't hash to its digest: this peer is not to be trusted")
    return amendment


def _json(stands: Entitlement | None) -> dict[str, Any] | None:
    return None if stands is None else stands.as_json()


def read_entitlements(data: bytes) -> Entitlements:
    """Return the lenders of a file of changes: by pseudonym `{"claims", "excluded"?}` or null, in JSON.

    Amounts are in fen. Raises UserError, naming the pseudonym; a lender who is named twice is no change.
    """
    try:
        value = jcs.loads(data.removeprefix(codecs.BOM_UTF8))
    except jcs.JsonError as error:
        raise UserError(f"the file of changes is no JSON: {error}") from error
    if not isinstance(value, dict) or not value:
        raise UserError("the file of changes is not an object of pseudonyms")
    wanted: Entitlements = {}
    for sub, after in value.items():
        other = None if after is not None else {"claims": [{"class": "any", "fen": 1}]}
        try:
            wanted[sub] = parse_change({"sub": sub, "before": other, "after": after}).after
        except Refused as error:
            raise UserError(f"the change of {sub}: {error.detail}", code=error.code) from error
    return wanted


def draw_up(
    mtg: str,
    there: Amendments,
    wanted: Mapping[str, Entitlement | None],
    on_roll: Callable[[str], Entitlement | None],
    *,
    at: str,
    reason: str,
    decision: str,
) -> Amendment:
    """Return the next amendment, from what stands now to what is wanted; refuse with AMENDMENT_FORMAT.

    `on_roll` is what the frozen roll has of a lender whom no amendment names.
    """
    changes = [
        Change(sub, there.amended[sub].after if sub in there.amended else on_roll(sub), after)
        for sub, after in sorted(wanted.items())
    ]
    return Amendment(mtg, len(there.confirmed) + 1, at, reason, decision, tuple(changes))


def verify_amendment(
    amendment: Amendment, there: Amendments, on_roll: Callable[[str], Entitlement | None]
) -> None:
    """Compare what an amendment says of the roll with the full roll and the amendments before it.

    The channel can't: it doesn't hold the leaves. Raises Negative, naming both sides' values.
    """
    for change in amendment.changes:
        known = there.amended.get(change.sub)
        stands = on_roll(change.sub) if known is None else known.after
        if stands != change.before:
            raise Negative(
                f"{change.sub} has {_json(stands)} by the roll, but {_json(change.before)} by the amendment"
            )
