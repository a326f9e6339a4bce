"""An official ID service over HTTP: a person's data go out, the picture on the ID card comes back.

The wire form here is Concordat's own. Services differ, and some give a similarity instead of a picture;
one that does needs a source of its own behind the same interface.
"""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Final

import httpx

from biometrics.sources.interface import MOST_BYTES, NoPhoto, Photo, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometrics.sources.interface import People
    from biometrics.terms.binding import Lender

NAME: Final = "official-id"
PATH: Final = "/v1/reference-photo"
_TYPES: Final = ("image/jpeg", "image/png")


class OfficialIdService:
    """Asks one service. Thread-safe; close it when done.

    `url` must be https, or http to this host itself (the stand-in). `tls_root_pem` holds the only
    roots that are trusted. `token` is the service's credential. `timeout` is in seconds.
    """

    def __init__(
        self,
        url: str,
        people: People,
        *,
        token: str,
        random_bytes: Callable[[int], bytes],
        tls_root_pem: bytes | None = None,
        timeout: float = 10,
        name: str = NAME,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parsed = httpx.URL(url)
        if parsed.scheme != "https" and parsed.host not in {"127.0.0.1", "::1", "localhost"}:
            raise SourceUnavailable(f"{NAME}: {parsed.host} must be asked over https")
        verify: ssl.SSLContext | bool = True
        if tls_root_pem is not None:
            verify = ssl.create_default_context(cadata=tls_root_pem.decode("ascii"))
        self._name = name
        self._people = people
        self._random_bytes = random_bytes
        self._client = httpx.Client(
            base_url=parsed,
            timeout=timeout,
            verify=verify,
            follow_redirects=False,
            trust_env=False,  # a proxy named in the environment must not get to see people's data
            headers={"Authorization": f"Bearer {token}"},
            transport=transport,
        )

    @property
    def name(self) -> str:
        """What policy and evidence call it."""
        return self._name

    def photo(self, lender: Lender) -> Photo:
        """Return the picture on the person's ID card; raises NoPhoto or SourceUnavailable."""
        person = self._people.person(lender)
        body = {
            "v": 1,
            "request": self._random_bytes(16).hex(),
            "purpose": "creditors-vote-identity-verification",
            "name": person.name,
            "id_number": person.id_number,
        }
        try:
            with self._client.stream("POST", PATH, content=json.dumps(body).encode("utf-8")) as answer:
                return Photo(self._name, self._read(answer))
        except httpx.HTTPError as error:
            # Only the kind of failure: httpx's own words may carry the request.
            raise SourceUnavailable(f"{self._name} can't be reached ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, answer: httpx.Response) -> bytes:
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NoPhoto(f"{self._name} has no picture of this person")
        if answer.status_code != httpx.codes.OK:
            raise SourceUnavailable(f"{self._name} answered {answer.status_code}")
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind not in _TYPES:
            raise SourceUnavailable(f"{self._name} answered with {kind or 'nothing'} instead of a picture")
        data = bytearray()
        for chunk in answer.iter_bytes():
            data += chunk
            if len(data) > MOST_BYTES:
                raise SourceUnavailable(f"{self._name} answered with more than {MOST_BYTES} bytes")
        return bytes(data)
