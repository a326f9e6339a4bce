"""Rolls: from a register of claims in CSV or XLSX to leaves, root and proofs.

`read_claims` reads and checks the register, all or nothing; `make_roll` gives every lender
a pseudonym and a salt; `write_roll` and `read_roll` keep the result in a file for the
Regulator's full recomputation, and `prove_from_file` proves one lender's place from it. Until the
roll is frozen `correct` changes it with a log. Personal data stays in these files (mode 0600) and never
enters a leaf.
"""

from __future__ import annotations

from client.rolls.claims import Holder, read_claims
from client.rolls.errors import RollError
from client.rolls.generate import generate_csv, generate_xlsx
from client.rolls.lookup import prove_from_file
from client.rolls.person import Person
from client.rolls.proof import Proof, parse_proof
from client.rolls.roll import Entry, Roll, make_roll
from client.rolls.rollfile import read_roll, write_roll

__all__ = [
    "Entry",
    "Holder",
    "Person",
    "Proof",
    "Roll",
    "RollError",
    "generate_csv",
    "generate_xlsx",
    "make_roll",
    "parse_proof",
    "prove_from_file",
    "read_claims",
    "read_roll",
    "write_roll",
]
