"""Who may do what on a channel, in Fabric's policy language; everything follows from the table.

No policy counts a majority of organizations: with dozens of institutions they could outvote everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from network.topology import Governance, Org


def endorsement(governance: Governance) -> str:
    """So many of the endorsing organizations' peers."""
    return f"OutOf({governance.endorsements}, {_principals(governance.endorsers, 'peer')})"


def lifecycle_endorsement(governance: Governance) -> str:
    """The administrator's peer and one of the co-administrators' peers: chaincode definitions."""
    return _administrator_and_one(governance, "peer")


def administration(governance: Governance) -> str:
    """The administrator and one of the co-administrators: changes of channel configuration."""
    return _administrator_and_one(governance, "admin")


def org_policies(org: Org, *, ordering: bool) -> dict[str, str]:
    """Return the policies that speak for one organization, among the members or the ordering ones.

    SmartBFT's orderers accept one another's votes under the ordering organizations' `Writers`.
    """
    orderer = f", '{org.msp}.orderer'" if ordering else ""
    return {
        "Readers": f"OR('{org.msp}.member')",
        "Writers": f"OR('{org.msp}.admin', '{org.msp}.client'{orderer})",
        "Admins": f"OR('{org.msp}.admin')",
        "Endorsement": f"OR('{org.msp}.peer')",
    }


def _administrator_and_one(governance: Governance, kind: str) -> str:
    others = _principals(governance.co_administrators, kind)
    return f"AND('{governance.administrator.msp}.{kind}', OR({others}))"


def _principals(orgs: Iterable[Org], kind: str) -> str:
    return ", ".join(f"'{org.msp}.{kind}'" for org in orgs)
