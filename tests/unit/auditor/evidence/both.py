"""What one implementation of signatures, certificates and CBOR says of some cases; run under both of them.

As a program: `both.py VERIFIER`, with the verifier in one file first on the path and the portable one
installed. Cases come on standard input as JSON, answers go to standard output.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def answers(cases: list[dict[str, Any]]) -> list[Any]:  # noqa: C901  imported under one of two
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    from auditor.members import NotAMember, verify_signature  # noqa: PLC0415
    from client.encodings import cbor, es256  # noqa: PLC0415
    from client.encodings.errors import Refused  # noqa: PLC0415

    def certificate(case: dict[str, Any]) -> Any:
        one = x509.load_der_x509_certificate(bytes.fromhex(case["der"]))
        issuer = x509.load_der_x509_certificate(bytes.fromhex(case["issuer"]))
        try:
            constraints = one.extensions.get_extension_for_class(x509.BasicConstraints).value
            ca: Any = [constraints.ca, constraints.path_length]
        except x509.ExtensionNotFound:
            ca = None
        try:
            signs: Any = one.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        except x509.ExtensionNotFound:
            signs = None
        try:
            one.verify_directly_issued_by(issuer)
            issued = True
        except (ValueError, TypeError, InvalidSignature):
            issued = False
        try:
            usable = isinstance(getattr(one.public_key(), "curve", None), ec.SECP256R1)
        except (ValueError, UnsupportedAlgorithm):
            usable = False
        return [
            one.subject.rfc4514_string(),
            one.issuer.rfc4514_string(),
            str(one.serial_number),
            one.not_valid_before_utc.isoformat(),
            one.not_valid_after_utc.isoformat(),
            [str(name.value) for name in one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)],
            ca,
            issued,
            one == issuer,
            one.subject == issuer.subject,
            usable,
            signs,
        ]

    def signature(case: dict[str, Any]) -> Any:
        key: Any = x509.load_der_x509_certificate(bytes.fromhex(case["der"])).public_key()
        data, signed = bytes.fromhex(case["data"]), bytes.fromhex(case["signature"])
        try:
            if case["kind"] == "jws":
                es256.verify(key, signed, data)
            else:
                verify_signature(key, data, signed)
        except (NotAMember, Refused) as refused:
            return str(refused)
        return "good"

    def item(case: dict[str, Any]) -> Any:
        try:
            return repr(cbor.loads(bytes.fromhex(case["data"])))
        except cbor.CborError:
            return "refused"

    def revocations(case: dict[str, Any]) -> Any:
        found = x509.load_pem_x509_crl(case["pem"].encode())
        issuer = x509.load_der_x509_certificate(bytes.fromhex(case["issuer"]))
        key: Any = issuer.public_key()
        return [
            found.issuer.rfc4514_string(),
            found.issuer == issuer.subject,
            sorted(str(one.serial_number) for one in found),
            found.is_signature_valid(key),
        ]

    judges = {
        "certificate": certificate,
        "jws": signature,
        "fabric": signature,
        "cbor": item,
        "crl": revocations,
    }
    found: list[Any] = []
    for case in cases:
        try:
            found.append(judges[case["kind"]](case))
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
            found.append("malformed")
    return found


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from auditor.portable.install import install

    install()
    sys.stdout.write(json.dumps(answers(json.load(sys.stdin))))
