"""A lender's client of the identity service, over its HTTP interface."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from biometrics.service.proofs import sign_request
from biometrics.terms.scopes import ENROLMENT
from client.demo.errors import DemoFailed
from client.encodings import base64url

if TYPE_CHECKING:
    import httpx

    from client.enrolment.lender import LenderKey


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the service: signs with the enrolled key, or shows the invitation's secret."""

    web: httpx.Client
    lender: LenderKey
    secret: str = field(default="", repr=False)

    @property
    def thumbprint(self) -> str:
        """What names the key in signatures: the certificate's, and before there is one the key's own."""
        return self.lender.thumbprint if self.secret else self.lender.x5t

    def consent(self, kind: str, version: str, digest: str) -> None:
        """Give a consent, to the text that was shown."""
        self._ask("/v1/consents", kind=kind, version=version, text_digest=digest)

    def open(self, scope: str) -> dict[str, Any]:
        """Begin a check."""
        about = {"public_key": base64url.encode(self.lender.spki)} if scope == ENROLMENT else {"mtg": scope}
        return self._ask("/v1/checks", **about)

    def sent(self, method: str, target: str, **request: Any) -> dict[str, Any]:
        """Send a request; raise DemoFailed with the refusal, whatever is refused here."""
        answer = self.web.request(method, target, **request)
        value: dict[str, Any] = answer.json()
        if answer.is_error:
            raise DemoFailed(f"the identity service refused {target}: {value['code']}, {value['title']}")
        return value

    def _ask(self, target: str, **members: str) -> dict[str, Any]:
        value = {"institution": self.lender.institution, "sub": self.lender.sub, **members}
        body = json.dumps(value).encode()
        headers = {"Authorization": self._authorization(target, body), "Content-Type": "application/json"}
        return self.sent("POST", target, content=body, headers=headers)

    def _authorization(self, target: str, body: bytes) -> str:
        if self.secret:
            return f"Invitation {self.secret}"
        now, jti = int(time.time()), os.urandom(16)
        jws = sign_request(self.lender.key, self.lender.x5t, "POST", target, body, now=now, jti=jti)
        return f"Proof {jws}"
