"""The report's words, Chinese and English side by side."""

# ruff: noqa: RUF001  Chinese punctuation is what it looks like

from __future__ import annotations

from typing import Final

KINDS: Final = {
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
ALARMS: Final = {
    "foreign-transaction": "其他链码的交易 / Transactions of another chaincode",
    "foreign-definition": "定义了其他链码 / Another chaincode was defined",
    "other-meeting": "其他会议的交易未通过核验 / A transaction of another meeting failed",
}
NUMBERS: Final = {
    "accepted": "曾被接受 / Accepted at some time",
    "refused": "被拒绝 / Refused",
    "second_door": "经监管方入口 / Through the Regulator's door",
    "rows": "平台记录数 / Rows of the platform",
    "acknowledgements_unverified": "签名暂无法核验的回执 / Acknowledgements whose signer is not known yet",
    "transactions": "已核验交易 / Transactions verified",
    "foreign": "其他链码的交易 / Transactions of other chaincodes (not replayed)",
    "invalid": "无效交易 / Transactions that the peer refused",
}
TITLE: Final = "独立核验报告 / Independent audit report"
CONSISTENT: Final = (
    "一致：链上每张选票与计票均已核验，平台数据与之相符。",
    "Consistent: every ballot and the tally verify from the chain, and the platform's rows agree.",
)
NOT_CLOSED: Final = (
    "会议尚未结束，不公布各选项票数。",
    "The meeting is not closed; no choice's count is shown.",
)
SAME_HOST: Final = (
    "注意：本次核验与平台运行在同一台主机上，快照由该主机取得。",
    "Note: audit and platform ran on the same host, which took the snapshot.",
)
RESTS_ON: Final = (
    "核验步骤见 docs/verification.md。通道以创世区块哈希为信任根，交易有效性取自监管方自己的节点。",
    "Steps: docs/verification.md. Trust roots: the channels' genesis; validation codes: the own peer's.",
)
REPRODUCIBLE: Final = (
    "同一条链与同一数据库快照必得出逐字节相同的报告；签名另存于 .jws 文件。",
    "The same chain and snapshot give this report byte for byte; its signature is a file of its own (.jws).",
)
TURNOUT: Final = "投票人数（按回执时间） / Lenders who voted, by time of acknowledgement"
HEADS: Final = "人数 / Heads"
VALUE: Final = "金额（元） / Value (yuan)"
FOUND: Final = "各类差异 / Discrepancies by kind"


def inconsistent(count: int) -> tuple[str, str]:
    """Return the verdict's sentences where something was found."""
    return (
        f"不一致：发现 {count} 处差异，见下表。",
        f"Not consistent: {count} discrepanc{'y' if count == 1 else 'ies'}, listed below.",
    )


def yuan(fen: int) -> str:
    """Return an amount of fen as yuan with two decimals, exactly."""
    sign, amount = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{amount // 100:,}.{amount % 100:02d}"
