"""The explanation's words, in Chinese and in English."""
# ruff: noqa: RUF001, E501  full-width punctuation is Chinese, and sentences are as long as they are

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Item:
    """Some files of a package: what they are, what they prove, and what they don't."""

    files: str
    what: str
    proves: str
    not_proved: str


TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "title": "投票证据包说明",
        "about": "本文件包供仲裁机构核验一张表决票。它由监管机构的独立核验服务导出并签名，"
        "不需要网络，也不需要信任投票平台，即可核验。",
        "limits": "它证明的是数据写入之后没有被改动（完整性），不证明写入之前所述内容属实。",
        "figures": "数据与哈希",
        "items": "每一项是什么、证明什么、不证明什么",
        "proves": "证明",
        "not": "不证明",
        "check": "如何核验",
        "how": "运行 concordat evidence verify 文件 --trust 信任文件，或运行单文件核验器 concordat-verify.pyz。"
        "信任文件须先与监管机构公布的内容核对。",
        "meeting": "会议",
        "mh": "会议记录哈希",
        "channel": "通道",
        "state": "会议状态",
        "digest": "表决票摘要",
        "sub": "出借人代号",
        "votes": "表决",
        "proxy": "代理人代号；委托书摘要与状态",
        "objections": "异议、答复、裁决",
        "claims": "债权（分）",
        "excluded": "不计入的议案",
        "reweighed": "其后经修订的债权（分）；不计入的议案",
        "acknowledged": "受理时间与序号",
        "place": "区块与交易",
        "stands": "导出时仍为有效票",
        "session": "身份核验（方式、时间、承诺值）",
        "certificate": "证书指纹与状态（版本）",
        "roll": "名册根哈希、人数、总额（分）",
        "head": "日志条数、根哈希、所至区块",
        "rules": "表决规则",
        "result": "结果",
        "exported": "导出时间与各通道高度",
    },
    "en": {
        "title": "Evidence package of one ballot: an explanation",
        "about": "This package lets an arbitration commission check one ballot. The Regulator's independent verification "
        "service exported and signed it; checking it needs no network and no trust in the voting platform.",
        "limits": "It proves that nothing was changed after it was entered (integrity). It does not prove that what was "
        "entered was true.",
        "figures": "Figures and hashes",
        "items": "What each item is, proves and does not prove",
        "proves": "proves",
        "not": "does not prove",
        "check": "How to check",
        "how": "Run concordat evidence verify FILE --trust TRUST.json, or the verifier in one file, concordat-verify.pyz. "
        "Compare the trust file with what the Regulator publishes first.",
        "meeting": "Meeting",
        "mh": "Hash of the meeting's record",
        "channel": "Channel",
        "state": "State of the meeting",
        "digest": "Digest of the ballot",
        "sub": "Pseudonym of the lender",
        "votes": "Votes",
        "proxy": "Pseudonym of the proxy; digest of the mandate, its status",
        "objections": "Objections, answers, awards",
        "claims": "Claims (fen)",
        "excluded": "Counted for nothing on",
        "reweighed": "Claims as amended since (fen); counted for nothing on",
        "acknowledged": "Acknowledged at, number",
        "place": "Block, transaction",
        "stands": "Stood when exported",
        "session": "Identity check (method, time, commitment)",
        "certificate": "Certificate's thumbprint, status (revision)",
        "roll": "Roll: root, heads, total (fen)",
        "head": "Log: leaves, root, up to block",
        "rules": "Rules",
        "result": "Result",
        "exported": "Exported at, heights of the channels",
    },
}

ITEMS: Final[Mapping[str, tuple[Item, ...]]] = {
    "zh": (
        Item(
            "manifest.json",
            "签名清单",
            "各文件与监管机构核验服务导出时完全一致。",
            "清单中陈述的状态由签名人负责。",
        ),
        Item("ballot.jws", "表决票及签名", "持有该密钥者签署了这些选择。", "密钥由谁掌握、是否自愿。"),
        Item(
            "certificates/ identity/",
            "证书链、登记各版本（含吊销状态）、身份核验记录及承诺值",
            "密钥属于该代号，投票前有一次通过的身份核验。",
            "核验本身没有出错；承诺值所指材料须另行出示。",
        ),
        Item(
            "roll/",
            "名册条目、证明与来源；如附：监管机构的会签与更正日志",
            "该债权在经监管机构确认的冻结名册上，或由机构提出、监管机构确认的修订所定。",
            "债权金额在入册前是否属实。",
        ),
        Item(
            "blocks/",
            "原始区块、排序节点签名与通道配置",
            "交易由规定的各方背书并排序。",
            "未收录的区块中有什么。",
        ),
        Item(
            "log/",
            "签名的日志树头、包含证明，以及锚定在通道上的树头",
            "监管机构确认该票被接受；每个锚定的树头都是该日志的开头。",
            "之后没有新票取代它。",
        ),
        Item(
            "mandate/",
            "代理投票时：委托书各版本（含撤销状态）与委托人的登记",
            "委托人的密钥签署了委托，投票时委托有效且涵盖所投议案。",
            "委托人了解后果；委托在通道上撤销之前的口头撤销。",
        ),
        Item(
            "disputes/",
            "该出借人的异议、机构的答复与仲裁机构的裁决（如有）",
            "异议由该出借人的密钥签署并被收到；答复与裁决由有权机构作出。",
            "异议理由属实；承诺值所指材料须另行出示。其他出借人的异议不在本包内。",
        ),
        Item("meeting/", "会议记录、规则与结果", "结果是通道所写，且符合规则。", "合计数须由完整审计重算。"),
        Item(
            "custody.json",
            "保管日志",
            "由谁、何时、自何高度导出。",
            "导出之后文件由谁经手；时间为签名人的时钟。",
        ),
        Item("notices", "通知", "通道上没有通知记录，故本包不含。", "出借人是否收到通知。"),
    ),
    "en": (
        Item(
            "manifest.json",
            "the signed manifest",
            "that every file is as the Regulator's service exported it.",
            "the state that it names: that is the signer's word.",
        ),
        Item(
            "ballot.jws",
            "the ballot and its signature",
            "that the holder of the key signed these choices.",
            "in whose hands the key was, nor free will.",
        ),
        Item(
            "certificates/ identity/",
            "the certificate chain, all revisions of the enrolment (with revocation), the identity check and commitment",
            "that the key is this pseudonym's, and that a check was passed before the vote.",
            "that the check made no error; what the commitment stands for has to be produced separately.",
        ),
        Item(
            "roll/",
            "the roll entry, its proof and the roll's provenance; if attached, the Regulator's countersignature and corrections",
            "that the claim is on the frozen roll that the Regulator confirmed, or is what amendments that the "
            "institution proposed and the Regulator confirmed made of it.",
            "that the amount was right before it was entered.",
        ),
        Item(
            "blocks/",
            "raw blocks with the orderers' signatures, and the channels' configurations",
            "that the transactions were endorsed and ordered by those who have to.",
            "what is in blocks that are not here.",
        ),
        Item(
            "log/",
            "the signed tree head, the proof of inclusion, and the heads anchored on the channel",
            "that the Regulator's auditor found the ballot accepted, and that each anchored head is a beginning of this log.",
            "that no later ballot replaced it.",
        ),
        Item(
            "mandate/",
            "for a ballot by proxy: every writing of the mandate (with its revocation) and the principal's enrolment",
            "that the principal's key gave the mandate, and that it stood and covered the motions when the ballot was cast.",
            "that the principal understood it, nor what was said outside the channel before it was revoked there.",
        ),
        Item(
            "disputes/",
            "this lender's objections, the institution's answers and the commission's awards, if any",
            "that this lender's key signed them and a door took them in, and that those who may answered and decided.",
            "that the grounds are true; what the commitments stand for has to be produced separately. Other lenders' "
            "objections are not in this package.",
        ),
        Item(
            "meeting/",
            "the record with its rules, and the result if there is one",
            "that the channel holds this result and that the rules make it of its figures.",
            "that the figures are the ballots' sum: a whole audit counts them.",
        ),
        Item(
            "custody.json",
            "the custody log",
            "who exported what, when and up to which height.",
            "who handled the file since; times are the signer's clock.",
        ),
        Item(
            "notices",
            "notices to the lender",
            "nothing: the channels hold none, so the package has none.",
            "whether the lender was told of the meeting.",
        ),
    ),
}
