"""What can go wrong between a client and a Fabric CA: one small tree."""

from __future__ import annotations


class CAError(Exception):
    """Base of every error of this package; `str()` of it is one clear sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CAUnavailable(CAError):  # noqa: N818  a condition of the server, named as one
    """The CA could not be reached, or the connection broke before it answered."""


class CATimeout(CAUnavailable):
    """The CA did not answer in time; whether it did what was asked is unknown."""


class CAUntrusted(CAUnavailable):
    """The server's TLS certificate does not chain to the given root, or names another host."""


class CABadResponse(CAError):  # noqa: N818  a condition of the server, named as one
    """The server answered with something that a Fabric CA does not say."""


class CARejected(CAError):  # noqa: N818  the server's decision, named as one
    """The CA understood the request and refused it.

    `status` is the HTTP status, `code` Fabric CA's own error code (0 where it gives none;
    `lib/caerrors` in its source lists them) and `reason` its message, unaltered.
    """

    def __init__(self, message: str, *, status: int, code: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason


class AuthenticationFailed(CARejected):
    """Wrong name, wrong or used-up secret, or a token whose certificate the CA does not accept.

    Fabric CA does not tell these apart to its clients; its own log does.
    """


class NotAuthorized(CARejected):
    """The caller is known, but lacks the registrar's or revoker's right for this."""


class AlreadyRegistered(CARejected):
    """An identity of this name exists already."""


class NotFound(CARejected):
    """The CA, identity or certificate that was named does not exist there."""


class AlreadyRevoked(CARejected):
    """The certificate that was to be revoked is revoked already."""
