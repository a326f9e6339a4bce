"""The amendments of the meetings' double: both steps, and the answer as the chaincode gives it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.amendment import Amended, parse_amendment
from tests.ledger import Refusal

if TYPE_CHECKING:
    from tests.ledger import Stub


class Amending:
    def ProposeAmendment(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        made = parse_amendment(arguments[0])
        documents = self._documents(stub, made.mtg)
        if made.no != len(documents["confirmed"]) + 1:
            raise Refusal("AMENDMENT_FORMAT: The amendment is malformed or not canonical; correct it.")
        documents["pending"] = jcs.loads(arguments[0])
        stub.put(f"amend~{made.mtg}", jcs.dumps(documents))
        return b"{}"

    def ConfirmAmendment(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        mtg = arguments[0].decode()
        documents = self._documents(stub, mtg)
        pending = documents.pop("pending", None)
        if pending is None or parse_amendment(jcs.dumps(pending)).digest != arguments[1].decode():
            raise Refusal("AMENDMENT_MISMATCH: The amendment waiting is not the one confirmed.")
        documents["confirmed"].append(pending)
        stub.put(f"amend~{mtg}", jcs.dumps(documents))
        return b"{}"

    def GetAmendments(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        documents = self._documents(stub, arguments[0].decode())
        amended: dict[str, Amended] = {}
        for document in documents["confirmed"]:
            for change in parse_amendment(jcs.dumps(document)).changes:
                before = amended[change.sub].before if change.sub in amended else change.before
                amended[change.sub] = Amended(before, change.after)
        answer: dict[str, Any] = {
            "v": 1,
            "no": len(documents["confirmed"]),
            "confirmed": [_record(document) for document in documents["confirmed"]],
            "amended": [
                {"sub": sub, "before": _json(one.before), "after": _json(one.after)}
                for sub, one in sorted(amended.items())
            ],
            "roll": {"heads": 9, "fen": 951},
        }
        if "pending" in documents:
            answer["pending"] = _record(documents["pending"])
        return jcs.dumps(answer)

    def _documents(self, stub: Stub, mtg: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(stub.get(f"amend~{mtg}") or b'{"confirmed":[]}')
        return value


def _record(document: dict[str, Any]) -> dict[str, Any]:
    digest = parse_amendment(jcs.dumps(document)).digest
    return {"v": 1, "by": "InstitutionAMSP", "digest": digest, "document": document, "tx": ""}


def _json(stands: Any) -> Any:
    return None if stands is None else stands.as_json()
