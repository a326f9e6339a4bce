"""The CA client against a real Fabric CA server with two CAs."""

from __future__ import annotations

import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from client import ca
from network.binaries import fabric

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = """\
address: 127.0.0.1
port: {port}
tls: {{enabled: true}}
operations: {{listenAddress: "127.0.0.1:0"}}
cafiles: [lender/fabric-ca-server-config.yaml]
"""
ONE_CA = """\
ca: {{name: {name}}}
csr: {{cn: {name}-root, hosts: [127.0.0.1, localhost], ca: {{expiry: 8760h}}}}
registry:
  maxenrollments: -1
  identities:
    - name: registrar
      pass: registrarpw
      type: client
      attrs:
        hf.Registrar.Roles: "*"
        hf.Registrar.Attributes: "*"
        hf.Revoker: true
        hf.GenCRL: true
signing:
  default: {{usage: [digital signature], expiry: 720h}}
  profiles:
    tls: {{usage: [signing, server auth, client auth], expiry: 720h}}
db: {{type: sqlite3, datasource: fabric-ca-server.db}}
"""


@dataclass(frozen=True)
class Server:
    url: str
    root_pem: bytes

    def client(self, ca_name: str = "identity-ca") -> ca.CAClient:
        return ca.CAClient(self.url, ca_name, self.root_pem)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("ca")
    port = free_port()
    (home / "lender").mkdir()
    main = CONFIGURATION.format(port=port) + ONE_CA.format(name="identity-ca")
    (home / "fabric-ca-server-config.yaml").write_text(main)
    (home / "lender/fabric-ca-server-config.yaml").write_text(ONE_CA.format(name="lender-ca"))
    with subprocess.Popen(
        [fabric().program("fabric-ca-server"), "start", "--home", str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Listening on https" in line:
                break
        else:
            pytest.fail("the CA server did not start:\n" + "".join(lines[-10:]))
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        try:
            yield Server(f"https://127.0.0.1:{port}", (home / "ca-cert.pem").read_bytes())
        finally:
            process.terminate()
            process.wait(10)
            drain.join(10)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[ca.CAClient]:
    with server.client() as opened:
        yield opened


@pytest.fixture(scope="module")
def registrar(client: ca.CAClient) -> ca.Registrar:
    key = ca.generate_key()
    return client.registrar(client.enroll("registrar", "registrarpw", key).cert_pem, key)


def load(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def enrolled(
    client: ca.CAClient, registrar: ca.Registrar, name: str
) -> tuple[ca.Enrollment, ec.EllipticCurvePrivateKey]:
    key = ca.generate_key()
    return client.enroll(name, registrar.register(name), key), key


def test_each_ca_of_the_server_has_its_own_root(server: Server) -> None:
    infos = {}
    for name in ("identity-ca", "lender-ca"):
        with server.client(name) as client:
            infos[name] = client.info()
    assert {name: info.ca_name for name, info in infos.items()} == {name: name for name in infos}
    subjects = [load(info.chain_pem).subject.rfc4514_string() for info in infos.values()]
    assert len(set(subjects)) == 2
    assert infos["identity-ca"].version.startswith("1.5")


def test_a_registered_identity_enrols_once_and_carries_its_attributes(
    client: ca.CAClient, registrar: ca.Registrar
) -> None:
    secret = registrar.register("alice", attributes={"role": "officer", "城市": "深圳"})
    key = ca.generate_key()
    enrolment = client.enroll("alice", secret, key)
    load(enrolment.cert_pem).verify_directly_issued_by(load(enrolment.chain_pem))
    attributes = ca.certificate_attributes(enrolment.cert_pem)
    assert attributes["role"] == "officer"
    assert attributes["城市"] == "深圳"
    assert attributes["hf.EnrollmentID"] == "alice"
    with pytest.raises(ca.AuthenticationFailed):
        client.enroll("alice", secret, key)


def test_a_tls_certificate_has_names_and_usages(client: ca.CAClient, registrar: ca.Registrar) -> None:
    secret = registrar.register("peer0", kind="peer")
    enrolment = client.enroll(
        "peer0", secret, ca.generate_key(), hosts=["peer0.org", "127.0.0.1"], profile="tls", attributes=()
    )
    certificate = load(enrolment.cert_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.org"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= set(usages)
    assert ca.certificate_attributes(certificate) == {}


def test_a_request_made_elsewhere_is_signed(client: ca.CAClient, registrar: ca.Registrar) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    enrolment = client.enroll_csr("browser", registrar.register("browser"), ca.build_csr("browser", key))
    assert load(enrolment.cert_pem).public_key() == key.public_key()


def test_a_request_for_somebody_else_is_refused(client: ca.CAClient, registrar: ca.Registrar) -> None:
    secret = registrar.register("carol")
    with pytest.raises(ca.NotAuthorized, match="common name"):
        client.enroll_csr("carol", secret, ca.build_csr("registrar", ca.generate_key()))
    client.enroll("carol", secret, ca.generate_key())  # the secret is not used up


def test_an_attribute_that_is_not_registered_is_refused(client: ca.CAClient, registrar: ca.Registrar) -> None:
    secret = registrar.register("dave")
    with pytest.raises(ca.CARejected, match="role"):
        client.enroll("dave", secret, ca.generate_key(), attributes=["role"])


def test_a_name_is_registered_once(registrar: ca.Registrar) -> None:
    assert registrar.register("erin", "chosen secret") == "chosen secret"
    with pytest.raises(ca.AlreadyRegistered) as caught:
        registrar.register("erin")
    assert (caught.value.code, caught.value.status) == (74, 409)


@pytest.mark.parametrize(("name", "secret"), [("nobody", "x"), ("registrar", "wrong")])
def test_wrong_credentials_fail(client: ca.CAClient, name: str, secret: str) -> None:
    with pytest.raises(ca.AuthenticationFailed) as caught:
        client.enroll(name, secret, ca.generate_key())
    assert (caught.value.code, caught.value.status) == (20, 401)


def test_only_a_registrar_registers(client: ca.CAClient, registrar: ca.Registrar) -> None:
    enrolment, key = enrolled(client, registrar, "frank")
    with pytest.raises(ca.NotAuthorized):
        client.registrar(enrolment.cert_pem, key).register("grace")


def test_a_token_by_another_key_fails(client: ca.CAClient, registrar: ca.Registrar) -> None:
    enrolment, _ = enrolled(client, registrar, "heidi")
    with pytest.raises(ca.AuthenticationFailed):
        client.registrar(enrolment.cert_pem, ca.generate_key()).gencrl()


def test_a_certificate_of_one_ca_is_nobody_at_another(server: Server, registrar: ca.Registrar) -> None:
    with server.client("lender-ca") as lender:
        key = ca.generate_key()
        enrolment = lender.enroll("registrar", "registrarpw", key)
        with server.client("identity-ca") as identity, pytest.raises(ca.AuthenticationFailed):
            identity.registrar(enrolment.cert_pem, key).register("ivan")


def test_re_enrolling_renews_on_a_new_key(client: ca.CAClient, registrar: ca.Registrar) -> None:
    enrolment, key = enrolled(client, registrar, "judy")
    renewed_key = ca.generate_key()
    renewed = client.registrar(enrolment.cert_pem, key).reenroll("judy", renewed_key)
    assert load(renewed.cert_pem).serial_number != load(enrolment.cert_pem).serial_number
    again = client.registrar(renewed.cert_pem, renewed_key).reenroll("judy", renewed_key)
    assert load(again.cert_pem).public_key() == renewed_key.public_key()


def revoked_serials(crl_pem: bytes) -> set[int]:
    return {entry.serial_number for entry in x509.load_pem_x509_crl(crl_pem)}


def test_every_certificate_that_was_issued_to_a_name_is_listed(
    client: ca.CAClient, registrar: ca.Registrar
) -> None:
    enrolment, key = enrolled(client, registrar, "lena")
    renewed = client.registrar(enrolment.cert_pem, key).reenroll("lena", key)
    listed = {x509.load_pem_x509_certificate(pem) for pem in registrar.certificates("lena")}
    assert listed == {x509.load_pem_x509_certificate(one.cert_pem) for one in (enrolment, renewed)}
    assert registrar.certificates("nobody") == ()
    with pytest.raises(ca.CARejected):
        client.registrar(enrolment.cert_pem, key).certificates("lena")


def test_a_revoked_certificate_is_listed_and_can_no_longer_act(
    client: ca.CAClient, registrar: ca.Registrar
) -> None:
    enrolment, key = enrolled(client, registrar, "kate")
    target = ca.certificate_id(enrolment.cert_pem)
    done = registrar.revoke(serial=target.serial, aki=target.aki, reason="keycompromise", gencrl=True)
    assert done.revoked == (target,)
    assert done.crl_pem is not None
    crl = x509.load_pem_x509_crl(done.crl_pem)
    assert crl.is_signature_valid(load(enrolment.chain_pem).public_key())  # type: ignore[arg-type]
    assert load(enrolment.cert_pem).serial_number in revoked_serials(done.crl_pem)
    assert load(enrolment.cert_pem).serial_number in revoked_serials(registrar.gencrl())
    with pytest.raises(ca.AuthenticationFailed):
        client.registrar(enrolment.cert_pem, key).reenroll("kate", key)
    with pytest.raises(ca.AlreadyRevoked):
        registrar.revoke(serial=target.serial, aki=target.aki)


def test_every_certificate_is_revoked_by_its_id(client: ca.CAClient, registrar: ca.Registrar) -> None:
    secret = registrar.register("mallory", max_enrollments=-1)

    def revoked(_: int) -> bool:  # one certificate in sixteen has a serial that begins with a zero
        target = ca.certificate_id(client.enroll("mallory", secret, ca.generate_key()).cert_pem)
        return registrar.revoke(serial=target.serial, aki=target.aki).revoked == (target,)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(revoked, range(16)))


def test_revoking_an_identity_takes_all_its_certificates(
    client: ca.CAClient, registrar: ca.Registrar
) -> None:
    secret = registrar.register("leo", max_enrollments=2)
    serials = {load(client.enroll("leo", secret, ca.generate_key()).cert_pem).serial_number for _ in range(2)}
    done = registrar.revoke(name="leo", reason="cessationofoperation")
    assert {int(c.serial, 16) for c in done.revoked} == serials
    assert done.crl_pem is None
    assert registrar.revoke(name="leo", gencrl=True) == ca.Revocation((), None)


def test_what_is_not_there_cannot_be_revoked(registrar: ca.Registrar) -> None:
    with pytest.raises(ca.NotFound):
        registrar.revoke(name="nobody")
    with pytest.raises(ca.NotFound):
        registrar.revoke(serial="ab", aki="cd")


def test_one_client_serves_many_threads(client: ca.CAClient, registrar: ca.Registrar) -> None:
    def enrol(number: int) -> str:
        enrolment, _ = enrolled(client, registrar, f"thread{number}")
        return load(enrolment.cert_pem).subject.rfc4514_string()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(enrol, range(8))) == [f"CN=thread{n},OU=client" for n in range(8)]


def test_an_unknown_ca_is_not_found(server: Server) -> None:
    with server.client("missing-ca") as client, pytest.raises(ca.NotFound, match="missing-ca"):
        client.info()


def test_a_server_under_another_root_is_not_trusted(server: Server) -> None:
    with server.client("lender-ca") as lender:
        other_root = lender.info().chain_pem
    with ca.CAClient(server.url, "identity-ca", other_root) as client, pytest.raises(ca.CAUntrusted):
        client.info()


def test_nobody_there_is_unavailable(server: Server) -> None:
    with (
        ca.CAClient(f"https://127.0.0.1:{free_port()}", "identity-ca", server.root_pem) as client,
        pytest.raises(ca.CAUnavailable, match="is it running"),
    ):
        client.info()


def test_plain_http_to_a_tls_server_is_a_bad_response(server: Server) -> None:
    with (
        ca.CAClient(server.url.replace("https", "http"), "identity-ca") as client,
        pytest.raises(ca.CABadResponse, match="does not answer like a Fabric CA"),
    ):
        client.info()
