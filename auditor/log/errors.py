"""What the transparency log refuses, each under a code with one sentence (docs/transparency.md)."""

from __future__ import annotations

from typing import Final

from client.errors import Negative

REFUSALS: Final = {
    "LOG_LEAF": "The log's leaf is malformed or not canonical; take it as the log serves it.",
    "LOG_PLACE": "There is no such place in a tree of that size; name one that there is.",
    "LOG_PATH": "The proof's path is too long, too short or no list of hashes; ask the log for it again.",
    "LOG_ROOT": "The proof's path leads to another root; it proves nothing about this tree.",
    "LOG_ABSENT": "The log has no such ballot; ask with the digest of one that was accepted.",
    "LOG_SIZES": "A tree doesn't grow from that size to that size; name the smaller size first.",
    "LOG_ORDER": "The ballots are not in the chain's order; read the channel from its beginning.",
    "LOG_CHAIN": "The log and the chain disagree about a ballot; the log is not continued.",
    "LOG_UNVERIFIED": "The channel did not verify; no head is signed over it.",
    "HEAD_FORMAT": "The tree head is malformed or not canonical; take it as it was published.",
    "HEAD_SIGNER": "The tree head's certificate is not one of the Regulator's CA; trust another head.",
    "HEAD_ROLE": "The tree head's signer is not the Regulator's auditor; trust another head.",
    "HEAD_SIGNATURE": "The tree head's signature doesn't verify with its certificate; trust another head.",
    "HEAD_MEETING": "The tree head is another meeting's, record's or channel's; ask for this meeting's.",
    "HEAD_OLDER": "The tree head would be older than the last one; heads only go forward.",
    "HEAD_FORK": "The tree head doesn't continue the last one; both heads together show a fork.",
    "AUDITED_FORMAT": "The audited receipt is malformed; use the file as it was issued.",
    "AUDITED_MISMATCH": "The audited receipt's parts don't belong together; ask for it again.",
    "TRUST_GENESIS": "The meeting was held on other networks than the trusted ones; check the trust file.",
    "NO_CONTRADICTION": "Receipt and head don't contradict each other; nothing is shown against anybody.",
}


class LogRefused(Negative):
    """Something of the log doesn't hold (exit 1).

    `code` is one of REFUSALS, or of the encodings' registry where a receipt's own parts are at fault
    (then `detail` is the registry's whole message); `expected` and `found` are the two values that
    disagreed, in a printable form.
    """

    code: str

    def __init__(self, code: str, detail: str = "", *, expected: object = None, found: object = None) -> None:
        values = "" if expected is None and found is None else f"expected {expected}, found {found}"
        said = "; ".join(part for part in (detail, values) if part)
        if code in REFUSALS:
            said = f"{code}: {REFUSALS[code]}" + (f" ({said})" if said else "")
        super().__init__(said, code=code)
        self.code = code
        self.detail = detail
        self.expected = expected
        self.found = found
