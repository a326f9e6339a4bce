from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import UserError
from client.platform import SealedError, Vault

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "keys" / "platform.key")


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "platform.key"
    assert Vault.open(path) == Vault.open(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "platform.key"
    Vault.open(path)
    path.chmod(0o640)
    with pytest.raises(UserError, match="chmod 600"):
        Vault.open(path)


@pytest.mark.parametrize("content", ["", "{}", '{"v":1,"current":"00","keys":[],"index_key":""}', "[]"])
def test_a_broken_key_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "platform.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(UserError, match="not a platform key file"):
        Vault.open(path)


def test_equal_values_seal_differently(vault: Vault) -> None:
    assert vault.seal("lenders", "person", "1", b"x") != vault.seal("lenders", "person", "1", b"x")


@pytest.mark.parametrize(
    "place", [("sessions", "person", "1"), ("lenders", "secret", "1"), ("lenders", "person", "2")]
)
def test_a_value_opens_only_where_it_was_sealed(vault: Vault, place: tuple[str, str, str]) -> None:
    sealed = vault.seal("lenders", "person", "1", "张伟".encode())
    assert vault.unseal("lenders", "person", "1", sealed).decode() == "张伟"
    with pytest.raises(SealedError, match="altered or moved"):
        vault.unseal(*place, sealed)


def test_every_altered_byte_is_noticed(vault: Vault) -> None:
    sealed = vault.seal("t", "c", "r", b"value")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(SealedError):
            vault.unseal("t", "c", "r", bytes(altered))


def test_values_of_an_older_key_still_open_after_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "platform.key"
    old = Vault.open(path)
    sealed = old.seal("t", "c", "r", b"value")
    document = json.loads(path.read_text())
    document["keys"].append({"id": "ffffffff", "key": "A" * 43 + "="})
    document["current"] = "ffffffff"
    path.write_text(json.dumps(document))
    new = Vault.open(path)
    assert new.unseal("t", "c", "r", sealed) == b"value"
    assert new.seal("t", "c", "r", b"value")[1:5] == b"\xff\xff\xff\xff"
    with pytest.raises(SealedError, match="doesn't hold"):
        old.unseal("t", "c", "r", new.seal("t", "c", "r", b"value"))


def test_blind_indices_depend_on_key_purpose_and_value(vault: Vault, tmp_path: Path) -> None:
    other = Vault.open(tmp_path / "other.key")
    first = vault.blind_index("person", "x")
    assert first == vault.blind_index("person", "x")
    assert len({first, vault.blind_index("phone", "x"), vault.blind_index("person", "y")}) == 3
    assert first != other.blind_index("person", "x")


@given(st.binary(), st.text(), st.text(), st.text())
def test_whatever_is_sealed_comes_back(plain: bytes, table: str, column: str, row: str) -> None:
    vault = Vault({b"keyA": b"k" * 32}, b"keyA", b"i" * 32)
    assert vault.unseal(table, column, row, vault.seal(table, column, row, plain)) == plain
