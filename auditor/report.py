"""The report files: JSON for machines, one HTML page (zh-CN and English) for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jinja2

from auditor.errors import AuditUnavailable
from auditor.motion_margins import in_words

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.verdict import Audit

_KINDS = {
    "missing": "平台缺失 / missing",
    "extra": "平台多出 / extra",
    "altered": "被改动 / altered",
    "duplicated": "重复 / duplicated",
    "miscounted": "计票不符 / miscounted",
    "late": "逾期未上链 / late",
    "pending": "超时在途 / on its way past its deadline",
    "without session": "缺少身份核验记录 / without session",
    "receipt without ballot": "有回执无选票 / receipt without ballot",
    "unverified": "链上核验未通过 / not verified",
}
_ALARMS = {
    "foreign-transaction": "其他链码的交易 / Transactions of another chaincode",
    "foreign-definition": "定义了其他链码 / Another chaincode was defined",
}
_LABELS = {
    "accepted": "曾被接受 / Accepted at some time",
    "replaced": "被后票取代 / Replaced by a later one",
    "refused": "被拒绝 / Refused",
    "second_door": "经监管方入口 / Through the Regulator's door",
    "rows": "平台记录数 / Rows of the platform",
    "acknowledgements_unverified": "签名暂无法核验的回执 / Acknowledgements whose signer is not known yet",
    "transactions": "已核验交易 / Transactions verified",
    "foreign": "其他链码的交易 / Transactions of other chaincodes (not replayed)",
    "invalid": "无效交易 / Transactions that the peer refused",
}


def write_reports(audit: Audit, path: Path) -> tuple[Path, Path]:
    """Write `path` with the suffixes .json and .html; returns both, raises AuditUnavailable."""
    machine, human = path.with_suffix(".json"), path.with_suffix(".html")
    try:
        machine.write_text(
            json.dumps(audit.as_json(), ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        human.write_text(render(audit), encoding="utf-8")
    except OSError as error:
        raise AuditUnavailable(f"the report cannot be written to {path}: {error.strerror}") from error
    return machine, human


def render(audit: Audit) -> str:
    """Return the page; every value in it is escaped, since the platform chose some of them."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("auditor"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    template = environment.get_template("report.html")
    words = {"kinds": _KINDS, "alarms": _ALARMS, "labels": _LABELS}
    return template.render(audit=audit, **words, yuan=yuan, in_words=in_words)


def yuan(fen: int) -> str:
    """Return an amount of fen as yuan with two decimals, exactly."""
    return f"{fen // 100:,}.{fen % 100:02d}"
