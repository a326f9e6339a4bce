"""What an evidence package is refused for, each under a code with one sentence (docs/evidence.md)."""

from __future__ import annotations

from typing import Final

from client.errors import Negative

REFUSALS: Final = {
    "EVIDENCE_CONTAINER": "The file is no evidence package in its one form; use it as it was handed out.",
    "EVIDENCE_MANIFEST": "The package's manifest is malformed or not canonical; ask for the package again.",
    "EVIDENCE_SIGNER": "The manifest's certificate is not one of the Regulator's CA; trust another package.",
    "EVIDENCE_ROLE": "The manifest's signer is not the Regulator's auditor; trust another package.",
    "EVIDENCE_SIGNATURE": "The manifest's signature doesn't verify; the package was changed or forged.",
    "EVIDENCE_FILES": "The package has other files than its manifest names; ask for the package again.",
    "EVIDENCE_FILE": "A file of the package is not the one that the manifest names; it was changed.",
    "EVIDENCE_FORMAT": "A file of the package is malformed; ask for the package again.",
    "EVIDENCE_GENESIS": "The package is of another network than the trusted one; check the trust file.",
    "EVIDENCE_BLOCK": "A block of the package is not what the orderers signed; it was changed or forged.",
    "EVIDENCE_CONFIGURATION": "The channel's configuration doesn't follow from the trusted one.",
    "EVIDENCE_TRANSACTION": "A transaction of the package is not what was proposed and endorsed.",
    "EVIDENCE_RECORD": "A record of the package is not the one that the channel holds.",
    "EVIDENCE_MEETING": "The package's parts are not all of one meeting; ask for the package again.",
    "EVIDENCE_CERTIFICATE": "The lender's certificate isn't the enrolled one, or not its CA's.",
    "EVIDENCE_SESSION": "The identity check doesn't allow this ballot: another's, failed, or expired.",
    "EVIDENCE_BALLOT": "The ballot is not genuine, or not the one that the channel counted.",
    "EVIDENCE_LEAF": "The lender's entry isn't proved to be on the frozen roll.",
    "EVIDENCE_LOG": "The Regulator's signed log isn't shown to have the ballot.",
    "EVIDENCE_RESULT": "The result is not what the meeting's rules make of its figures.",
    "EVIDENCE_CUSTODY": "The custody log or the roll's provenance doesn't agree with the package.",
}


class EvidenceRefused(Negative):
    """An evidence package doesn't hold (exit 1).

    `code` is one of REFUSALS; `detail` says which file, block or value, and what was found.
    """

    code: str

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {REFUSALS[code]}" + (f" ({detail})" if detail else ""), code=code)
        self.code = code
        self.detail = detail
