"""The identity service's refusals: a stable code, an HTTP status, and advice in two languages.

These codes are the service's own. What the chaincode refuses has its codes in the encodings' registry.
"""

# ruff: noqa: RUF001  one code a row: the table is data; Chinese has punctuation of its own

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Code:
    """One refusal: its HTTP status, and one sentence a person can follow."""

    status: int
    en: str
    zh: str


CODES: Final[dict[str, Code]] = {
    # the request
    "REQUEST_FORMAT": Code(
        400, "The request is malformed; see /openapi.json.", "请求格式不正确，请参阅接口说明 /openapi.json。"
    ),
    "REQUEST_TOO_LARGE": Code(
        413,
        "The upload is too large; send fewer or smaller frames.",
        "上传内容过大，请减少帧数或降低图片大小。",
    ),
    "REQUEST_TIMEOUT": Code(
        408, "The upload took too long; try again on a better connection.", "上传超时，请在网络较好时重试。"
    ),
    "NOT_FOUND": Code(404, "There is nothing at this address.", "该地址不存在。"),
    "METHOD_NOT_ALLOWED": Code(405, "This address doesn't take that method.", "该地址不支持此请求方法。"),
    "OVERLOADED": Code(
        503,
        "The service is busy; try again after the time in Retry-After.",
        "系统繁忙，请稍后按提示时间重试。",
    ),
    "CHECK_ABORTED": Code(
        503, "The comparison broke off; begin a new check.", "人脸比对中断，请重新开始核验。"
    ),
    "LEDGER_UNAVAILABLE": Code(
        503, "The ledger doesn't answer; try again soon.", "区块链网络暂时不可用，请稍后重试。"
    ),
    "INTERNAL": Code(
        500,
        "Something went wrong here; try again, and report it if it stays.",
        "服务内部出错，请重试；若仍失败请联系工作人员。",
    ),
    # who is asking
    "PROOF_MISSING": Code(
        401,
        "Sign the request with the enrolled key, or show the invitation's secret.",
        "请使用已登记的密钥签名，或提供邀请函中的口令。",
    ),
    "PROOF_FORMAT": Code(
        401,
        "The signature is not of the prescribed form; use a client made for this service.",
        "签名格式不正确，请使用配套的客户端。",
    ),
    "PROOF_INVALID": Code(
        401,
        "The signature doesn't verify; sign again with your own key.",
        "签名验证失败，请使用本人的密钥重新签名。",
    ),
    "PROOF_STALE": Code(
        401,
        "The signed request is too old or from the future; set your clock and sign again.",
        "签名时间无效，请校准设备时间后重新签名。",
    ),
    "PROOF_REPLAYED": Code(
        401, "This signed request was sent before; sign a new one.", "该签名请求已被使用，请重新签名。"
    ),
    "INVITATION_INVALID": Code(
        401,
        "The invitation's secret is wrong, used or expired; ask your institution for a new invitation.",
        "邀请口令错误、已使用或已过期，请向机构申请新的邀请函。",
    ),
    "ENROLMENT_NOT_FOUND": Code(
        403,
        "This pseudonym is not enrolled; enrol first with your invitation.",
        "该编号尚未登记，请先凭邀请函完成登记。",
    ),
    "KEY_REVOKED": Code(
        403,
        "The enrolled key was revoked; enrol again with a new invitation.",
        "登记的密钥已被吊销，请凭新的邀请函重新登记。",
    ),
    "NOT_OFFICER": Code(403, "Only a registered officer may do this.", "仅限已登记的工作人员操作。"),
    "OFFICER_CERTIFICATE": Code(
        403,
        "The officer's certificate is expired or not valid yet; have it renewed, and the new one entered.",
        "工作人员证书已过期或尚未生效，请更新证书并重新登记。",
    ),
    # the meeting
    "MEETING_NOT_FOUND": Code(
        404,
        "Your institution has no such meeting; check the invitation.",
        "您的机构没有该会议，请核对邀请函。",
    ),
    "MEETING_NOT_RUNNING": Code(
        409,
        "The meeting is neither announced nor open, so nobody is checked for it.",
        "该会议未公告或已结束，暂不进行身份核验。",
    ),
    "MEETING_NOT_SETTLED": Code(
        409,
        "Objections to the meeting are not over, or it is not certified; its evidence has to stay.",
        "会议异议期未结束或结果尚未确认，证据须继续保存。",
    ),
    # consent
    "CONSENT_MISSING": Code(
        403,
        "There is no consent to this in force; give it, or take the way without a face.",
        "尚未同意此项处理；请先同意，或选择不使用人脸的核验方式。",
    ),
    "CONSENT_VERSION": Code(
        409,
        "The consent is to another version of the text; read and accept the present one.",
        "同意书版本不一致，请阅读并同意当前版本。",
    ),
    "CONSENT_TEXT": Code(
        409,
        "The consent is to a text that nobody published; read the present text and accept that.",
        "所同意的文本并非已公布的同意书，请阅读当前版本后再同意。",
    ),
    # checks
    "CHECK_NOT_FOUND": Code(
        404, "There is no such identity check; begin a new one.", "该身份核验不存在，请重新开始。"
    ),
    "CHECK_REPLAYED": Code(
        409,
        "These frames, or this signature, belong to another check; begin a new one with the camera.",
        "所提交的画面或签名属于另一次核验，请用摄像头重新开始。",
    ),
    "CHECK_EXPIRED": Code(
        410, "The time for this check is over; begin a new one.", "本次核验已超时，请重新开始。"
    ),
    "CHECK_FOREIGN_MEETING": Code(
        409,
        "This check was opened for another meeting; begin one for this meeting.",
        "该核验属于另一场会议，请为本次会议重新开始。",
    ),
    "CHECK_FOREIGN_LENDER": Code(
        403, "This check was opened for another lender.", "该核验属于另一位出借人。"
    ),
    "CHECK_FOREIGN_KEY": Code(
        403,
        "This check was opened with another key; use the key that is enrolled.",
        "该核验使用了另一把密钥，请使用已登记的密钥。",
    ),
    "CHECK_USED": Code(409, "This check was used already; begin a new one.", "该核验已被使用，请重新开始。"),
    "CHECK_ENDED": Code(
        409,
        "This check was ended (a newer one was opened, or the consent was withdrawn); begin a new one.",
        "该核验已结束（已开启新的核验或已撤回同意），请重新开始。",
    ),
    "CHECK_ELSEWHERE": Code(
        421,
        "This check runs in another process of the service; send it there, or begin a new one.",
        "该核验不在此服务进程中进行，请发送至原进程或重新开始。",
    ),
    "CHECK_PACE": Code(
        409,
        "The frames' times don't fit their arrival; begin a new check on a steadier connection.",
        "画面时间与到达时间不符，请在网络稳定时重新开始核验。",
    ),
    "CHUNK_REPLAYED": Code(
        409,
        "Other frames were taken under this number already; go on with the next number.",
        "该序号的画面已被接收，请以下一序号继续。",
    ),
    "CHUNK_GAP": Code(
        409, "Chunks before this one are missing; send them in order.", "缺少前面的画面，请按顺序发送。"
    ),
    "CHUNK_CHAIN": Code(
        409,
        "The signature doesn't continue the frames taken so far; sign the chain of this check.",
        "签名未与此前的画面相衔接，请按本次核验的顺序签名。",
    ),
    "FRAMES_DIGEST": Code(
        400,
        "The signature is over other frames than those sent; sign what is sent.",
        "签名与所提交的画面不一致，请重新签名后提交。",
    ),
    "FRAMES_COUNT": Code(
        400,
        "There are no frames, or too many; keep to the numbers that the opened check names.",
        "画面数量不符合要求，请按核验开始时给出的数量提交。",
    ),
    "FRAMES_TIMES": Code(
        400,
        "The frames' times are missing, unordered or outside the check.",
        "画面时间缺失、顺序错误或超出核验时段。",
    ),
    "RATE_LIMITED": Code(
        429,
        "Too many failed attempts in a row; wait as long as Retry-After says, or book an officer.",
        "连续失败次数过多，请稍后再试，或预约人工核验。",
    ),
    "ATTEMPTS_EXHAUSTED": Code(
        403,
        "No more attempts at this meeting; an officer can identify you instead.",
        "本次会议的核验次数已用完，请预约人工核验。",
    ),
    "REVIEW_PENDING": Code(
        409,
        "An officer is looking at your last check; wait for the decision.",
        "您的上一次核验正在人工复核，请等待结果。",
    ),
    # references
    "REFERENCE_MISSING": Code(
        409,
        "There is no reference picture of you; take the way without a face, or ask your institution.",
        "系统中没有您的参考照片，请选择人工核验或联系机构。",
    ),
    "REFERENCE_UNUSABLE": Code(
        409,
        "The reference picture shows no usable face; take the way without a face, or ask your institution.",
        "参考照片无法使用，请选择人工核验或联系机构。",
    ),
    "REFERENCE_UNAVAILABLE": Code(
        503,
        "The source of reference pictures doesn't answer; try again soon.",
        "参考照片服务暂时不可用，请稍后重试。",
    ),
    # cases, slots
    "CASE_NOT_FOUND": Code(404, "There is no such case.", "该复核事项不存在。"),
    "CASE_DECIDED": Code(409, "The case is closed; nothing more can be decided on it.", "该复核事项已结束。"),
    "CASE_TAKEN": Code(
        409,
        "Another officer holds the case; wait until it is given back.",
        "该复核事项正由其他工作人员处理。",
    ),
    "CASE_NOT_TAKEN": Code(409, "Take the case before deciding on it.", "请先领取该复核事项再作决定。"),
    "CASE_SAME_OFFICER": Code(
        409,
        "The same officer has decided before; a second person has to.",
        "须由另一位工作人员作出第二次决定。",
    ),
    "CASE_TOO_EARLY": Code(
        409,
        "The appointment has not begun; decide when the person is there.",
        "预约时段尚未开始，请在当事人到场后再作决定。",
    ),
    "CASE_REASON": Code(
        400, "A decision needs one of the reasons that the API lists.", "请从规定的理由中选择一项。"
    ),
    "SLOT_NOT_FOUND": Code(404, "There is no such slot, or it has begun.", "该时段不存在或已开始。"),
    "SLOT_FULL": Code(409, "The slot is full; choose another.", "该时段已约满，请选择其他时段。"),
    "SLOT_BOOKED": Code(
        409, "You have a booking already; cancel it before making another.", "您已有预约，请先取消后再预约。"
    ),
    "BOOKING_NOT_FOUND": Code(404, "There is no such booking.", "该预约不存在。"),
}
"""Every refusal of the service, in the order in which a request meets them."""
