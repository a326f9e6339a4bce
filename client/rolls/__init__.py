"""Rolls: from a register of claims in CSV to leaves, root and proofs.

`read_claims` reads and checks the register, all or nothing; `make_roll` gives every lender
a pseudonym and a salt; `write_roll` and `read_roll` keep the result in a file for the
Regulator's full recomputation. Personal data stays in that file (mode 0600) and never
enters a leaf.
"""

from __future__ import annotations

from client.rolls.claims import Holder, read_claims
from client.rolls.errors import RollError
from client.rolls.generate import generate_csv
from client.rolls.person import Person
from client.rolls.roll import Entry, Proof, Roll, make_roll
from client.rolls.rollfile import read_roll, write_roll

__all__ = [
    "Entry",
    "Holder",
    "Person",
    "Proof",
    "Roll",
    "RollError",
    "generate_csv",
    "make_roll",
    "read_claims",
    "read_roll",
    "write_roll",
]
