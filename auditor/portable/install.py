"""Putting the portable implementation in the place of `cryptography` and `cbor2`, before anything else."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final

from auditor.portable import cbor, certificates, curve


def _no_key(*_: object) -> Any:
    raise ValueError("the verifier in one file holds no keys")


_X509: Final = {name: value for name, value in vars(certificates).items() if not name.startswith("_")}
_MODULES: Final[dict[str, dict[str, Any]]] = {
    "cbor2": {"CBORError": cbor.CBORError, "dumps": cbor.dumps, "loads": cbor.loads},
    "cryptography": {},
    "cryptography.exceptions": {
        "InvalidSignature": curve.InvalidSignature,
        "UnsupportedAlgorithm": curve.UnsupportedAlgorithm,
    },
    "cryptography.x509": _X509,
    "cryptography.x509.oid": {"NameOID": certificates.NameOID},
    "cryptography.hazmat": {},
    "cryptography.hazmat.primitives": {},
    "cryptography.hazmat.primitives.hashes": {"SHA256": curve.SHA256},
    "cryptography.hazmat.primitives.serialization": {
        "Encoding": curve.Encoding,
        "PublicFormat": curve.PublicFormat,
        "load_pem_private_key": _no_key,
    },
    "cryptography.hazmat.primitives.asymmetric": {},
    "cryptography.hazmat.primitives.asymmetric.ec": {
        name: getattr(curve, name)
        for name in ("ECDSA", "SECP256R1", "EllipticCurvePrivateKey", "EllipticCurvePublicKey")
    },
    "cryptography.hazmat.primitives.asymmetric.utils": {
        name: getattr(curve, name) for name in ("decode_dss_signature", "encode_dss_signature")
    },
}


def install() -> None:
    """Make `import cryptography` and `import cbor2` mean the portable implementation in this process."""
    for name, members in _MODULES.items():
        module = ModuleType(name)
        vars(module).update(members)
        module.__path__ = []
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
