"""Network tables for tests."""

from __future__ import annotations

from network.topology import DEFAULT_TABLE

DEFAULT = DEFAULT_TABLE.read_text(encoding="utf-8")

SECOND_INSTITUTION = """
[[orgs]]
name = "institutionb"
title = "Institution B"
msp = "InstitutionBMSP"
slot = 4
roles = ["officer"]
lender_ca = true

[[channels]]
name = "arbitration-institutionb"
chaincode = "arbitration"
institution = "institutionb"
members = ["association", "institutionb", "regulator", "arbitration"]
consenters = ["association", "institutionb", "regulator", "arbitration"]
"""


def with_second_institution() -> str:
    """The table that comes with Concordat, and a second institution that joins `identity`, too."""
    members = 'members = ["association", "institutiona", "regulator", "arbitration"]'
    joined = 'members = ["association", "institutiona", "institutionb", "regulator", "arbitration"]'
    assert DEFAULT.count(members) == 2
    return DEFAULT.replace(members, joined, 1) + SECOND_INSTITUTION
