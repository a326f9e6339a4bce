"""Checkpoints: the verifier at one moment, durable in one piece with the rows of its state.

A checkpoint is bound to the genesis hashes, to the code that made it and to its own hash; a damaged or
foreign one is refused and never repaired. It holds nothing that the chain doesn't: starting over gives the
same.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import sqlite3
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

import auditor
from auditor.ahead import Alone
from auditor.errors import AuditUnavailable
from auditor.replay.kept import codec_of
from client import encodings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.ahead import Helpers
    from auditor.run import Roots
    from auditor.store import Store
    from auditor.verifier import Verifier

_HASH: Final = 32
_HELPERS, _STORE, _TABLE = "helpers", "store", "table"
_PLAIN: Final = frozenset(
    {("builtins", name) for name in ("set", "frozenset", "dict", "list", "tuple", "bytes", "int", "str")}
    | {("cryptography.x509.name", name) for name in ("Name", "RelativeDistinguishedName", "NameAttribute")}
    | {("cryptography.x509.name", "_ASN1Type")}
)
# The only functions of this program that a checkpoint may name.
_MADE_BY: Final = frozenset(
    {("auditor.checkpoint", name) for name in ("load_certificate", "load_key", "load_oid")}
    | {("auditor.errors", "_made")}
)


class CheckpointRefused(AuditUnavailable):
    """A checkpoint that is damaged, of other channels or of other code (exit 2)."""

    def __init__(self, path: Path | None, reason: str) -> None:
        super().__init__(
            f"the checkpoint {path} is not used: {reason}; --from-genesis removes it and starts over"
        )


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Saves a verifier into its store, and resumes it from there."""

    store: Store
    roots: Roots

    def save(self, verifier: Verifier) -> None:
        """Make verifier and rows durable at once; what was killed before had never happened."""
        state = io.BytesIO()
        _Pickler(state, self.store).dump(verifier)
        header = {
            "v": 1,
            "genesis": _hex(self.roots.genesis),
            "code": code_version(),
            "rows": self.store.last_rows(),
        }
        content = json.dumps(header).encode() + b"\n" + state.getvalue()
        self.store.commit(hashlib.sha256(content).digest() + content)

    def resume(self, helpers: Helpers, *, thoroughly: bool = True) -> Verifier | None:
        """Return the verifier of the last checkpoint, None where there is none.

        `thoroughly` reads every row once to see that it is as written. Raises CheckpointRefused.
        """
        try:
            moment = self.store.moment()
            if moment is None:
                return None
            return self._resumed(moment, helpers, thoroughly=thoroughly)
        except (sqlite3.Error, ValueError, KeyError, pickle.UnpicklingError, EOFError) as error:
            raise CheckpointRefused(self.store.path, f"it is damaged ({error})") from error

    def _resumed(self, moment: bytes, helpers: Helpers, *, thoroughly: bool) -> Verifier:
        said, content = moment[:_HASH], moment[_HASH:]
        if hashlib.sha256(content).digest() != said:
            raise ValueError("its hash is another")
        head, _, state = content.partition(b"\n")
        header = json.loads(head)
        if header["genesis"] != _hex(self.roots.genesis):
            raise CheckpointRefused(self.store.path, "it is of other channels than those pinned")
        if header["code"] != code_version():
            raise CheckpointRefused(self.store.path, "another version of the program made it")
        if thoroughly:
            self.store.verify(header["rows"])
        verifier: Verifier = _Unpickler(io.BytesIO(state), self.store, helpers).load()
        return verifier


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash over the sources that decide what a verifier's state is, and Python's version."""
    digest = hashlib.sha256(sys.version.encode())
    for package in (auditor, encodings):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(root)} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _hex(genesis: Mapping[str, bytes]) -> dict[str, str]:
    return {name: value.hex() for name, value in sorted(genesis.items())}


class _Pickler(pickle.Pickler):
    """Writes a verifier without its rows and helpers; keys and certificates as DER."""

    def __init__(self, file: io.BytesIO, store: Store) -> None:
        super().__init__(file, protocol=5)
        self._store = store

    def persistent_id(self, value: Any) -> Any:
        if value is self._store:
            return (_STORE,)
        if isinstance(value, Alone) or type(value).__name__ == "HelperProcesses":
            return (_HELPERS,)
        name = self._store.named(value)
        return None if name is None else (_TABLE, name)

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, x509.Certificate):
            return load_certificate, (value.public_bytes(Encoding.DER),)
        if isinstance(value, EllipticCurvePublicKey):
            return load_key, (value.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),)
        if isinstance(value, x509.ObjectIdentifier):
            return load_oid, (value.dotted_string,)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Reads what `_Pickler` wrote; makes values of this program's own classes and no others."""

    def __init__(self, file: io.BytesIO, store: Store, helpers: Helpers) -> None:
        super().__init__(file)
        self._store = store
        self._helpers = helpers

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(("auditor.", "client.encodings.")) and "." not in name:
            found = super().find_class(module, name)
            # A module's imports are within reach, too: only what it defines itself is its own.
            if (module, name) in _MADE_BY or (isinstance(found, type) and found.__module__ == module):
                return found
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        match pid:
            case ("store",):
                return self._store
            case ("helpers",):
                return self._helpers
            case ("table", name):
                return self._store.table(name, codec_of(name))
        raise pickle.UnpicklingError("it names something else")


def load_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate of its DER."""
    return x509.load_der_x509_certificate(der)


def load_key(der: bytes) -> EllipticCurvePublicKey:
    """Return an elliptic curve key of its DER; ValueError for another."""
    key = load_der_public_key(der)
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("a key of another kind")  # noqa: TRY004  damage, like any other
    return key


def load_oid(dotted: str) -> x509.ObjectIdentifier:
    """Return an object identifier of its text."""
    return x509.ObjectIdentifier(dotted)
