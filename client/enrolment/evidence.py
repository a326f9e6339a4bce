"""Evidence of an identity check: the commitment that goes on chain, the sealed original that doesn't."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from client.encodings import base64url, commitment, jcs

if TYPE_CHECKING:
    from client.platform import Vault


class Opening(Protocol):
    """What opens a commitment."""

    @property
    def salt(self) -> bytes:
        """Return the 32 random bytes."""

    @property
    def evidence(self) -> bytes:
        """Return the canonical JSON that was committed to."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was checked, as canonical JSON, under a 32-byte random salt."""

    salt: bytes = field(repr=False)
    evidence: bytes = field(repr=False)

    @classmethod
    def of(cls, content: Any) -> Evidence:
        """Take up evidence (any JSON of the profile) under a new salt."""
        return cls(secrets.token_bytes(commitment.SALT_BYTES), jcs.dumps(content))

    @property
    def content(self) -> Any:
        """The evidence as JSON."""
        return jcs.loads(self.evidence)

    @property
    def commitment(self) -> str:
        """What the channel gets; raises ValueError unless the salt has 32 bytes."""
        return commitment.commit_canonical(self.salt, self.evidence)


def seal(opening: Opening, vault: Vault, table: str, row: str) -> bytes:
    """Return evidence and salt sealed for a row's `evidence_encrypted`."""
    value = {"salt": base64url.encode(opening.salt), "evidence": jcs.loads(opening.evidence)}
    return vault.seal(table, "evidence_encrypted", row, jcs.dumps(value))


def unseal(vault: Vault, table: str, row: str, sealed: bytes) -> Evidence:
    """Return what `seal` sealed; raise SealedError for anything else."""
    value = jcs.loads(vault.unseal(table, "evidence_encrypted", row, sealed))
    return Evidence(base64url.decode(value["salt"], commitment.SALT_BYTES), jcs.dumps(value["evidence"]))
