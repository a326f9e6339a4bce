"""A small roll with a lender of every kind: two classes, a disputed claim, an exclusion."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from client.rolls import Roll, make_roll, read_claims
from client.rolls.workbook import zip_parts

if TYPE_CHECKING:
    from collections.abc import Callable

SNAPSHOT = "2026-01-31T16:00:00Z"
DECISION = "ab" * 32
HEADER = "name,id_type,id_no,phone,email,class,claim_yuan,decision,excluded\n"
REGISTER = (
    HEADER
    + f"""李娜,passport,E1234567,10000000001,li@example.org,individual,1000.50,,
李娜,passport,E1234567,,,wealth-plan,3,{DECISION},
王䶮,resident-id,11010519491231002X,,,individual,20000,,m1 m2
赵六,other,Z-0001,10000000003,,individual,7.05,,
"""
)


def small_roll(mtg: str = "m-1", register: str = REGISTER) -> Roll:
    """Return the roll of the register above, with fresh pseudonyms."""
    return make_roll(read_claims(register.encode()), mtg=mtg, snapshot=SNAPSHOT, source_sha256="5a" * 32)


def sub_of(roll: Roll, id_no: str) -> str:
    """Return the pseudonym that a document's number has."""
    return roll.find(id_no).leaf.sub


def changed_part(workbook: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """Return a workbook with one part's text changed."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    parts[part] = change(parts.get(part, ""))
    return zip_parts(parts)
