"""Acknowledgements that the platform stores: what a door signed, and whether it was that door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from auditor.platform_rows import BallotRow
    from client.encodings.acknowledgement import Acknowledgement


@dataclass(frozen=True, slots=True)
class Doors:
    """The relays' keys that the channel showed: door (MSP) to certificate thumbprint to key.

    A relay signs acknowledgements with the key by which it submits batches, so whoever brought a
    batch to the channel is known, its organisation and role verified (steps 7 and 14).
    """

    keys: Mapping[str, Mapping[str, EllipticCurvePublicKey]]

    def verified(self, row: BallotRow) -> tuple[Acknowledgement, bool]:
        """Return what the row's stored acknowledgement says, and whether its signature could be checked.

        It cannot while the door has brought nothing to the channel. Refuse with the code of what is wrong
        with its form; KEY_FOREIGN where none of the door's relays signed it; SIGNATURE_INVALID.
        """
        signed = parse_acknowledgement(row.ack_jws)
        known = self.keys.get(signed.ack.door, {})
        if not known:
            return signed.ack, False
        key = known.get(signed.jws.x5t)
        if key is None:
            raise Refused("KEY_FOREIGN", "no relay of the door has this certificate")
        signed.verify(key)
        return signed.ack, True
