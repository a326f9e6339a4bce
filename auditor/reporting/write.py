"""The report's files: made in memory, written in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import AuditUnavailable
from auditor.reporting.document import report_of
from auditor.reporting.page import to_html
from auditor.reporting.pdf import to_pdf
from auditor.reporting.signature import sign_report

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.log.head import HeadSigner
    from auditor.reporting.document import Report
    from auditor.verdict import Audit

SIGNATURE = ".jws"


def formats(report: Report) -> dict[str, bytes]:
    """Return the report in each format: json, html, pdf. The same report gives the same bytes."""
    return {"json": report.encode(), "html": to_html(report), "pdf": to_pdf(report)}


def write_reports(audit: Audit, path: Path, signer: HeadSigner | None = None) -> tuple[Path, ...]:
    """Write `path` with the suffixes .json, .html, .pdf and, with a signer, .jws; return the files' paths.

    Raises AuditUnavailable where they can't be written.
    """
    report = report_of(audit)
    files = formats(report)
    if not path.name:
        raise AuditUnavailable(f"the report needs the name of a file, and {str(path)!r} is none")
    named = {path.with_suffix(f".{name}"): data for name, data in files.items()}
    if signer is not None:
        named[path.with_suffix(SIGNATURE)] = sign_report(report, files, signer)
    try:
        if signer is None:
            # A signature of an earlier report beside this one would only say that it was altered.
            path.with_suffix(SIGNATURE).unlink(missing_ok=True)
        for target, data in named.items():
            target.write_bytes(data)
    except OSError as error:
        raise AuditUnavailable(f"the report cannot be written to {path}: {error.strerror}") from error
    return tuple(named)
