"""What is refused about reports, each under a code with one sentence (docs/reports.md)."""

from __future__ import annotations

from typing import Final

from client.errors import Negative

REFUSALS: Final = {
    "REPORT_FORMAT": "The report or its signature is malformed; use the files as they were written.",
    "REPORT_RUNNING": "The meeting is not closed; nobody is shown running choices.",
    "REPORT_UNSIGNED": "The report has no signature; ask for the file that ends in .jws.",
    "REPORT_ALTERED": "The report is not the one that was signed; ask for it again.",
    "REPORT_SIGNER": "The signature's certificate is not one of the Regulator's CA; trust another report.",
    "REPORT_ROLE": "The report's signer is not the Regulator's auditor; trust another report.",
    "REPORT_SIGNATURE": "The signature doesn't verify with its certificate; trust another report.",
    "REPORT_NETWORK": "The report is about other networks than the trusted ones; check the trust file.",
}


class ReportRefused(Negative):
    """A report isn't what it says (exit 1). `code` is one of REFUSALS; `expected` and `found` disagreed."""

    code: str

    def __init__(self, code: str, detail: str = "", *, expected: object = None, found: object = None) -> None:
        values = "" if expected is None and found is None else f"expected {expected}, found {found}"
        said = "; ".join(part for part in (detail, values) if part)
        super().__init__(f"{code}: {REFUSALS[code]}" + (f" ({said})" if said else ""), code=code)
        self.code = code
        self.expected = expected
        self.found = found
