"""The Regulator's countersignature: a JWS over a roll's root and figures, by an officer's certificate.

Payload: the JCS of `{"v":1,"mtg","roll":figures,"source","corrections","at":time}`, the members of the roll
file's header. The file that carries it is `{"v":1,"certificate":base64 of the DER,"jws":…}`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.ca.certificates import certificate_attributes
from client.encodings import certificates, jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_first
from client.errors import Negative
from client.rolls.errors import RollError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from client.rolls.roll import Roll

TYP: Final = "concordat-roll+jws"
ROLE: Final = "role"
OFFICER: Final = "officer"


@dataclass(frozen=True, slots=True)
class Countersignature:
    """A countersignature of the prescribed form whose signature is not verified yet."""

    certificate: bytes
    signed: jws.Jws

    def encode(self) -> bytes:
        """Return the file that carries it."""
        value = {
            "v": 1,
            "certificate": base64.b64encode(self.certificate).decode("ascii"),
            "jws": self.signed.compact,
        }
        return jcs.dumps(value) + b"\n"


def countersignature_path(roll_file: Path) -> Path:
    """Return where the countersignature of a roll file stands."""
    return roll_file.with_name(f"{roll_file.stem}.countersignature.json")


def countersign(roll: Roll, at: str, certificate: bytes, key: EllipticCurvePrivateKey) -> Countersignature:
    """Sign a roll's root and figures as an officer; `certificate` is DER, `key` its P-256 key.

    Raise RollError for a certificate that is no officer's, or not the key's.
    """
    _check_officer(certificate, RollError)
    if certificates.public_key(certificate).public_numbers() != key.public_key().public_numbers():
        raise RollError("the key is not the certificate's: name the two of one officer")
    payload = jcs.dumps({**_stated(roll), "at": at})
    return Countersignature(certificate, jws.sign(TYP, certificates.thumbprint(certificate), payload, key))


def parse_countersignature(data: bytes, source: str = "the countersignature") -> Countersignature:
    """Return the countersignature of a file's bytes; raise RollError for another form."""
    try:
        value = _members(data)
        certificate = base64.b64decode(value["certificate"], validate=True)
        return Countersignature(certificate, jws.parse(value["jws"], TYP))
    except (ValueError, TypeError, AttributeError, binascii.Error, Refused) as error:
        raise RollError(f"{source} is no countersignature of a roll: {error}") from error


def _members(data: bytes) -> dict[str, Any]:
    value = jcs.loads(data)
    if not isinstance(value, dict) or value.keys() != {"v", "certificate", "jws"} or not is_first(value["v"]):
        raise ValueError("other members than v, certificate and jws")
    return value


def verify_countersignature(signature: Countersignature, roll: Roll, authority: bytes) -> str:
    """Return when an officer of the CA whose root is `authority` (DER) countersigned exactly this roll.

    Raise Negative, saying which step failed, for any other roll, signer or signature.
    """
    try:
        # 1. The CA issued the certificate that the JWS names, to an officer.
        certificates.verify_issued(signature.certificate, authority)
        if certificates.thumbprint(signature.certificate) != signature.signed.x5t:
            raise Negative("the countersignature names another certificate than it carries")
        _check_officer(signature.certificate, Negative)
        # 2. Its key signed the payload.
        signature.signed.verify(certificates.public_key(signature.certificate))
    except Refused as error:
        raise Negative(f"the countersignature doesn't verify: {error.message}", code=error.code) from error
    # 3. The payload has this roll's root, figures and origin.
    try:
        stated = jcs.loads_canonical(signature.signed.payload)
    except jcs.JsonError as error:
        raise Negative(f"the countersignature's payload is not canonical: {error}") from error
    expected = _stated(roll)
    if not isinstance(stated, dict) or stated.keys() != {*expected, "at"} or not times.is_time(stated["at"]):
        raise Negative("the countersignature's payload has other members than a roll's")
    for name, found in expected.items():
        if stated[name] != found:
            raise Negative(_mismatch(name, stated[name], found))
    return str(stated["at"])


def _stated(roll: Roll) -> dict[str, Any]:
    figures = roll.summary.as_json()
    return {"v": 1, "mtg": roll.mtg, "roll": figures, **roll.provenance.as_json()}


def _mismatch(name: str, stated: Any, found: Any) -> str:
    if isinstance(stated, dict) and isinstance(found, dict):
        for member in found:
            if stated.get(member) != found[member]:
                return _mismatch(f"{name}'s {member}", stated.get(member), found[member])
    return f"this is not the roll that was countersigned: the {name} is {found}, the signed one {stated}"


def _check_officer(certificate: bytes, error: type[RollError | Negative]) -> None:
    try:
        attributes = certificate_attributes(certificates.load(certificate))
    except (ValueError, TypeError) as problem:
        raise error(f"the certificate's attributes can't be read: {problem}") from problem
    if attributes.get(ROLE) != OFFICER:
        raise error("the certificate is no officer's (its attribute role is not officer)")
