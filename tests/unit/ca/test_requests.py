"""What is sent to a Fabric CA and what is made of its answers, without a server."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from client import ca
from client.ca.registrar import authorization_token

if TYPE_CHECKING:
    from collections.abc import Callable

HALF_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
CHAIN = b"-----BEGIN CERTIFICATE-----\nroot\n-----END CERTIFICATE-----\n"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def success(result: object) -> httpx.Response:
    return httpx.Response(200, json={"result": result, "errors": [], "messages": [], "success": True})


def certificate(public_key: Any, attributes: bytes | None = None) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    now = datetime.now(UTC)
    issuer = ca.generate_key()
    builder = x509.CertificateBuilder(name, name, public_key, 1, now, now + timedelta(days=1))
    if attributes is not None:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(ca.ATTRIBUTES_OID, attributes), critical=False
        )
    return builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Server:
    """Keeps what it was sent, and answers as scripted."""

    def __init__(self, answer: Callable[[dict[str, Any]], httpx.Response]) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    def client(self, ca_name: str = "identity-ca") -> ca.CAClient:
        return ca.CAClient("https://ca.example:7054/", ca_name, transport=httpx.MockTransport(self._handle))

    @property
    def body(self) -> dict[str, Any]:
        body = json.loads(self.requests[-1].content)
        assert isinstance(body, dict)
        return body

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(json.loads(request.content or b"{}"))


def enrolling(body: dict[str, Any]) -> httpx.Response:
    csr = x509.load_pem_x509_csr(body["certificate_request"].encode())
    return success(
        {"Cert": b64(certificate(csr.public_key())), "ServerInfo": {"CAName": "x", "CAChain": b64(CHAIN)}}
    )


def registrar(server: Server) -> tuple[ca.Registrar, ec.EllipticCurvePrivateKey, bytes]:
    key = ca.generate_key()
    cert = certificate(key.public_key())
    return server.client().registrar(cert, key), key, cert


def test_info_names_the_ca() -> None:
    server = Server(lambda _: success({"CAName": "identity-ca", "CAChain": b64(CHAIN), "Version": "1.5.15"}))
    with server.client() as client:
        assert client.info() == ca.CAInfo("identity-ca", CHAIN, "1.5.15")
    assert str(server.requests[0].url) == "https://ca.example:7054/api/v1/cainfo?ca=identity-ca"


def test_enrolling_sends_the_secret_and_a_request_for_the_key() -> None:
    server = Server(enrolling)
    key = ca.generate_key()
    enrolment = server.client().enroll(
        "alice", "pass:word", key, hosts=["peer0", "127.0.0.1"], profile="tls", attributes=["role"]
    )
    assert enrolment.chain_pem == CHAIN
    issued = x509.load_pem_x509_certificate(enrolment.cert_pem).public_key()
    assert issued == key.public_key()
    assert server.requests[0].headers["authorization"] == f"Basic {b64(b'alice:pass:word')}"
    assert server.body["caname"] == "identity-ca"
    assert server.body["profile"] == "tls"
    assert server.body["attr_reqs"] == [{"name": "role", "optional": False}]
    csr = x509.load_pem_x509_csr(server.body["certificate_request"].encode())
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=alice"
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_what_is_left_to_the_ca_is_not_sent() -> None:
    server = Server(enrolling)
    server.client("").enroll("alice", "s", ca.generate_key())
    assert set(server.body) == {"certificate_request"}
    csr = x509.load_pem_x509_csr(server.body["certificate_request"].encode())
    assert len(csr.extensions) == 0


def test_a_request_made_elsewhere_enrols_without_its_key() -> None:
    server = Server(enrolling)
    csr = ca.build_csr("alice", ca.generate_key())
    server.client().enroll_csr("alice", "s", csr)
    assert server.body["certificate_request"].encode() == csr


def test_a_certificate_on_another_key_is_refused() -> None:
    other = certificate(ca.generate_key().public_key())
    server = Server(lambda _: success({"Cert": b64(other), "ServerInfo": {"CAChain": ""}}))
    with pytest.raises(ca.CABadResponse, match="another key"):
        server.client().enroll("alice", "s", ca.generate_key())


@pytest.mark.parametrize("name", ["", "a:b"])
def test_names_that_the_protocol_cannot_carry_are_refused_before_sending(name: str) -> None:
    server = Server(enrolling)
    with pytest.raises(ValueError, match="name"):
        server.client().enroll(name, "s", ca.generate_key())
    with pytest.raises(ValueError, match="name"):
        registrar(server)[0].register(name)
    assert server.requests == []


def test_tokens_sign_method_address_body_and_certificate_with_low_s() -> None:
    key = ca.generate_key()
    for number in range(40):  # half of the raw signatures have a high S
        body = b"body %d" % number
        cert, signature = authorization_token(b"PEM", key, "POST", "/api/v1/register", body).split(".")
        assert cert == b64(b"PEM")
        der = base64.b64decode(signature)
        payload = f"POST.{b64(b'/api/v1/register')}.{b64(body)}.{b64(b'PEM')}"
        key.public_key().verify(der, payload.encode(), ec.ECDSA(hashes.SHA256()))
        assert decode_dss_signature(der)[1] <= HALF_ORDER


def test_a_registration_is_signed_over_the_bytes_sent() -> None:
    server = Server(lambda _: success({"secret": "made-up"}))
    acting, key, cert = registrar(server)
    assert acting.register("bob", kind="peer", affiliation="a.b", attributes={"role": "officer"}) == "made-up"
    request = server.requests[0]
    sent_cert, signature = request.headers["authorization"].split(".")
    payload = f"POST.{b64(b'/api/v1/register')}.{b64(request.content)}.{b64(cert)}"
    assert sent_cert == b64(cert)
    key.public_key().verify(base64.b64decode(signature), payload.encode(), ec.ECDSA(hashes.SHA256()))
    assert server.body == {
        "id": "bob",
        "type": "peer",
        "affiliation": "a.b",
        "max_enrollments": 1,
        "attrs": [{"name": "role", "value": "officer", "ecert": True}],
        "caname": "identity-ca",
    }


def test_a_secret_of_ones_own_is_sent() -> None:
    server = Server(lambda _: success({"secret": "mine"}))
    registrar(server)[0].register("bob", "mine")
    assert server.body["secret"] == "mine"


def test_revoking_one_certificate() -> None:
    server = Server(
        lambda _: success({"RevokedCerts": [{"Serial": "0a", "AKI": "0b"}], "CRL": b64(b"the list")})
    )
    done = registrar(server)[0].revoke(serial="0a", aki="0b", reason="keycompromise", gencrl=True)
    assert done == ca.Revocation((ca.CertificateId("0a", "0b"),), b"the list")
    assert server.body == {
        "serial": "0a",
        "aki": "0b",
        "reason": "keycompromise",
        "gencrl": True,
        "caname": "identity-ca",
    }


def test_revoking_an_identity_without_certificates() -> None:
    server = Server(lambda _: success({"RevokedCerts": None, "CRL": ""}))
    assert registrar(server)[0].revoke(name="bob") == ca.Revocation((), None)
    assert server.body["id"] == "bob"


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"serial": "1"},
        {"aki": "1"},
        {"name": "bob", "serial": "1", "aki": "2"},
        {"name": "bob", "reason": "boredom"},
    ],
)
def test_unclear_revocations_are_refused_before_sending(target: dict[str, Any]) -> None:
    server = Server(lambda _: success({}))
    with pytest.raises(ValueError, match=r"name an identity|reason"):
        registrar(server)[0].revoke(**target)
    assert server.requests == []


def rejecting(status: int, code: int) -> Server:
    return Server(
        lambda _: httpx.Response(
            status,
            json={"result": "", "errors": [{"code": code, "message": "because"}], "success": False},
        )
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 20, ca.AuthenticationFailed),
        (403, 71, ca.NotAuthorized),
        (409, 74, ca.AlreadyRegistered),
        (404, 8, ca.NotFound),
        (404, 10, ca.NotFound),
        (404, 19, ca.NotFound),
        (404, 66, ca.AlreadyRevoked),
        (401, 0, ca.AuthenticationFailed),
        (403, 77, ca.NotAuthorized),
        (500, 0, ca.CARejected),
    ],
)
def test_rejections_are_told_apart_and_keep_the_servers_words(
    status: int, code: int, kind: type[ca.CARejected]
) -> None:
    with pytest.raises(kind, match="registering bob") as caught:
        registrar(rejecting(status, code))[0].register("bob")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code, caught.value.reason) == (status, code, "because")
    assert f"because (code {code}, HTTP {status})" in str(caught.value)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404, text="404 page not found"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"success": "yes"}),
        httpx.Response(200, json={"success": True, "result": ""}),
        httpx.Response(200, json={"success": True, "result": {"CAName": 1}}),
        httpx.Response(200, json={"success": True, "result": {"CAName": "a", "CAChain": "*"}}),
    ],
)
def test_answers_that_are_no_fabric_cas_are_refused(response: httpx.Response) -> None:
    with pytest.raises(ca.CABadResponse):
        Server(lambda _: response).client().info()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), ca.CAUnavailable),
        (httpx.ReadError("reset"), ca.CAUnavailable),
        (httpx.RemoteProtocolError("closed"), ca.CAUnavailable),
        (httpx.ReadTimeout("slow"), ca.CATimeout),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] no"), ca.CAUntrusted),
    ],
)
def test_broken_connections_are_unavailability(failure: Exception, kind: type[ca.CAError]) -> None:
    def answer(_body: dict[str, Any]) -> httpx.Response:
        raise failure

    with pytest.raises(kind, match=r"https://ca\.example:7054") as caught:
        Server(answer).client().info()
    assert type(caught.value) is kind


def test_a_secure_address_needs_a_root() -> None:
    with pytest.raises(ValueError, match="TLS root"):
        ca.CAClient("https://ca.example:7054", "identity-ca")


@pytest.mark.parametrize("root", [b"", b"garbage", "根".encode()])
def test_a_root_that_is_no_certificate_is_refused_at_once(root: bytes) -> None:
    with pytest.raises(ValueError, match="no PEM certificate"):
        ca.CAClient("https://ca.example:7054", "identity-ca", root)
