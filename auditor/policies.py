"""Signature policies: who of the channel must have signed (common.SignaturePolicyEnvelope)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor import protobuf as pb
from auditor.members import Member, NotAMember

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ROLES = {
    pb.msp_principal.MSPRole.MEMBER: "member",
    pb.msp_principal.MSPRole.ADMIN: "admin",
    pb.msp_principal.MSPRole.CLIENT: "client",
    pb.msp_principal.MSPRole.PEER: "peer",
    pb.msp_principal.MSPRole.ORDERER: "orderer",
}


class PolicyUnsupported(Exception):  # noqa: N818  the callers turn it into a numbered step
    """A policy of a kind that this verifier does not evaluate."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One role of one organisation."""

    msp_id: str
    role: str

    def matches(self, member: Member) -> bool:
        """Say whether the member has this role in this organisation."""
        return member.msp_id == self.msp_id and self.role in member.roles


@dataclass(frozen=True, slots=True)
class Rule:
    """Either one principal (`index`), or `needed` of `rules`."""

    index: int = -1
    needed: int = 0
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """A parsed N-out-of policy over principals."""

    rule: Rule
    principals: tuple[Principal, ...]

    def verify(self, signers: Sequence[Member]) -> None:
        """Raise NotAMember unless the distinct signers satisfy the policy.

        Each signer counts for at most one principal, in the order that Fabric's cauthdsl takes.
        """
        if self._satisfied(self.rule, signers, frozenset()) is None:
            names = sorted({f"{one.msp_id}" for one in signers})
            raise NotAMember(f"the policy {self.describe()} is not satisfied by {names}")

    def describe(self) -> str:
        """Return the policy as Fabric's policy language writes it."""
        return self._describe(self.rule)

    def _describe(self, rule: Rule) -> str:
        if not rule.rules:
            principal = self.principals[rule.index]
            return f"'{principal.msp_id}.{principal.role}'"
        return f"OutOf({rule.needed}, {', '.join(self._describe(one) for one in rule.rules)})"

    def _satisfied(
        self, rule: Rule, signers: Sequence[Member], used: frozenset[int]
    ) -> frozenset[int] | None:
        if not rule.rules:
            principal = self.principals[rule.index]
            for position, signer in enumerate(signers):
                if position not in used and principal.matches(signer):
                    return used | {position}
            return None
        satisfied = 0
        for one in rule.rules:
            after = self._satisfied(one, signers, used)
            if after is not None:
                satisfied, used = satisfied + 1, after
        return used if satisfied >= rule.needed else None


def parse_policy(raw: bytes) -> SignaturePolicy:
    """Read a serialized SignaturePolicyEnvelope; raises PolicyUnsupported."""
    try:
        envelope = pb.policies.SignaturePolicyEnvelope.FromString(raw)
        principals = tuple(_principal(one) for one in envelope.identities)
    except pb.DecodeError as error:
        raise PolicyUnsupported(f"it is not a signature policy: {error}") from error
    return SignaturePolicy(_rule(envelope.rule, len(principals)), principals)


def any_member(msp_ids: Iterable[str]) -> SignaturePolicy:
    """Return the policy that one member of any of the organisations satisfies."""
    principals = tuple(Principal(one, "member") for one in sorted(msp_ids))
    return SignaturePolicy(
        Rule(needed=1, rules=tuple(Rule(index=index) for index in range(len(principals)))), principals
    )


def _principal(message: Any) -> Principal:
    if message.principal_classification != pb.msp_principal.MSPPrincipal.ROLE:
        raise PolicyUnsupported("only principals that are roles are supported")
    role = pb.msp_principal.MSPRole.FromString(message.principal)
    if role.role not in _ROLES:
        raise PolicyUnsupported(f"role number {role.role} is not known")
    return Principal(role.msp_identifier, _ROLES[role.role])


def _rule(message: Any, principals: int) -> Rule:
    if message.WhichOneof("Type") == "signed_by":
        if not 0 <= message.signed_by < principals:
            raise PolicyUnsupported("a rule names a principal that the policy does not have")
        return Rule(index=message.signed_by)
    n_out_of = message.n_out_of
    if not 0 < n_out_of.n <= len(n_out_of.rules):
        raise PolicyUnsupported("a rule that nobody or nothing satisfies")
    return Rule(needed=n_out_of.n, rules=tuple(_rule(one, principals) for one in n_out_of.rules))
