"""What the chaincode `identity` may refuse a session with, in Chinese; the English is in the encodings."""

# ruff: noqa: RUF001  the table is data; Chinese has punctuation of its own

from __future__ import annotations

from typing import Final

LEDGER: Final[dict[str, str]] = {
    "ENROLMENT_FOREIGN": "您在另一机构登记，请在该机构的会议中投票。",
    "KEY_FOREIGN": "所用密钥不是您登记的密钥，请使用已登记的密钥。",
    "SESSION_FORMAT": "核验记录格式不正确，请联系工作人员。",
    "SESSION_EXISTS": "该核验编号已被另一条记录使用，请重新核验。",
    "NOT_AUTHORISED": "核验服务未获链上授权，请联系工作人员。",
    "ARGUMENT_FORMAT": "提交到链上的参数格式不正确，请联系工作人员。",
}
"""Without those that the service refuses with as well: these have their sentences in `codes`."""
