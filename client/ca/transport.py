"""HTTP to a Fabric CA: one request, one parsed result or one typed error."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any, Final

import httpx

from client.ca import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "/api/v1/"
_SNIPPET: Final = 120

# Fabric CA's error codes (lib/caerrors/servererror.go) that callers want to tell apart.
_BY_CODE: Final[Mapping[int, type[errors.CARejected]]] = {
    8: errors.NotFound,  # certificate to be revoked
    10: errors.NotFound,  # identity to be revoked
    19: errors.NotFound,  # CA
    20: errors.AuthenticationFailed,
    63: errors.NotFound,  # identity, read from the database
    66: errors.AlreadyRevoked,
    71: errors.NotAuthorized,
    73: errors.AuthenticationFailed,  # too many wrong secrets
    74: errors.AlreadyRegistered,
}
_BY_STATUS: Final[Mapping[int, type[errors.CARejected]]] = {
    401: errors.AuthenticationFailed,
    403: errors.NotAuthorized,
}


class Transport:
    """Speaks to one server. Safe to share between threads (as `httpx.Client` is)."""

    def __init__(
        self,
        url: str,
        *,
        tls_root_pem: bytes | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = 30,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Trust exactly `tls_root_pem` (never the system's roots), or use `ssl_context` as it is."""
        self.url = url.rstrip("/")
        secure = httpx.URL(self.url).scheme == "https"
        if secure and transport is None and tls_root_pem is None and ssl_context is None:
            raise ValueError(f"the CA at {self.url} needs the TLS root certificate to trust")
        if ssl_context is None:
            ssl_context = _trusting(tls_root_pem)
        self._client = httpx.Client(verify=ssl_context, timeout=timeout, trust_env=False, transport=transport)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def send(self, doing: str, request: httpx.Request) -> Mapping[str, Any]:
        """Send, and return the `result` object of Fabric CA's envelope.

        `doing` names the operation in error sentences ("enrolling alice").
        """
        try:
            response = self._client.send(request)
        except httpx.TimeoutException as error:
            raise errors.CATimeout(
                f"the CA at {self.url} gave no answer in time while {doing}: check it, then try again"
            ) from error
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise errors.CAUntrusted(
                    f"the TLS certificate of the CA at {self.url} was not accepted while {doing} ({error}):"
                    " give the root that issued it"
                ) from error
            raise errors.CAUnavailable(
                f"the CA at {self.url} could not be reached while {doing} ({error}): is it running?"
            ) from error
        return self._result(doing, response)

    def get(self, doing: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Read a resource that needs no authorisation."""
        return self.send(doing, self.get_request(path, query))

    def get_request(self, path: str, query: Mapping[str, str]) -> httpx.Request:
        """Build a GET, which may then be signed into an `Authorization` header."""
        return self._client.build_request("GET", self.url + _PREFIX + path, params=query)

    def post_request(self, path: str, body: Mapping[str, Any]) -> httpx.Request:
        """Build a POST whose exact bytes can then be signed into an `Authorization` header."""
        content = json.dumps(body).encode()
        return self._client.build_request(
            "POST", self.url + _PREFIX + path, content=content, headers={"Content-Type": "application/json"}
        )

    def _result(self, doing: str, response: httpx.Response) -> Mapping[str, Any]:
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict) or not isinstance(document.get("success"), bool):
            raise errors.CABadResponse(
                f"the server at {self.url} does not answer like a Fabric CA while {doing}"
                f" (HTTP {response.status_code}: {response.text[:_SNIPPET]!r}): check the address"
            )
        if not document["success"]:
            raise self._rejection(doing, response.status_code, document.get("errors"))
        result = document.get("result")
        if not isinstance(result, dict):
            raise errors.CABadResponse(f"the CA at {self.url} sent no result while {doing}")
        return result

    def _rejection(self, doing: str, status: int, listed: object) -> errors.CARejected:
        first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
        given = first.get("code")
        code = given if isinstance(given, int) else 0
        reason = str(first.get("message", "no reason given"))
        kind = _BY_CODE.get(code)
        if kind is None:
            kind = _BY_STATUS.get(status, errors.CARejected)
        return kind(
            f"the CA at {self.url} refused while {doing}: {reason} (code {code}, HTTP {status})",
            status=status,
            code=code,
            reason=reason,
        )


def _trusting(root_pem: bytes | None) -> ssl.SSLContext:
    """Return TLS settings that trust these roots and no others; `ValueError` if they aren't PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if root_pem is not None:
        try:
            context.load_verify_locations(cadata=root_pem.decode("ascii"))
        except (ValueError, ssl.SSLError) as error:
            raise ValueError(f"the TLS root for the CA holds no PEM certificate: {error}") from error
    return context
