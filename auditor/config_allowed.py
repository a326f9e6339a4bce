"""Which changes of a channel's configuration are allowed at all, whoever signed them.

Allowed: an organisation more among the members, in the one form that members have; an
organisation's certificates and revocation lists; its anchor peers; the consenters' certificates
and addresses; batch size and batch timeout. Everything else changes who decides, and is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from auditor import protobuf as pb
from auditor.config_tree import GROUP, POLICY, VALUE, Element, Place, Tree, shown
from auditor.config_update import STEP_CONFIGURATION
from auditor.consenters import block_validation, parse_consenters
from auditor.decoded import brief, decoded, decoded_policy
from auditor.errors import ConfigurationError
from auditor.members import authority_keys
from auditor.policies import PolicyUnsupported, parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable

_ORDERERS = Place("/Channel/Orderer/Orderers", VALUE)
_BLOCK_VALIDATION = Place("/Channel/Orderer/BlockValidation", POLICY)
_ADMINS = "Admins"
_MEMBER = re.compile(r"/Channel/Application/[^/]+")
_MEMBER_MSP = re.compile(r"/Channel/(?:Application|Orderer)/[^/]+/MSP")
# Values in which anything may stand that Fabric itself takes.
_FREE = re.compile(
    r"/Channel/Orderer/(?:BatchSize|BatchTimeout|[^/]+/Endpoints)|/Channel/Application/[^/]+/AnchorPeers"
)
# What a certificate's rotation or a revocation changes of an organisation (msp.FabricMSPConfig).
_ROTATED = (
    "root_certs",
    "intermediate_certs",
    "tls_root_certs",
    "tls_intermediate_certs",
    "revocation_list",
)
# The policies of a member, as principals' roles: one of them is enough.
_MEMBER_POLICIES = {
    "Readers": ("member",),
    "Writers": ("admin", "client"),
    "Admins": ("admin",),
    "Endorsement": ("peer",),
}


def verify_allowed(before: Tree, after: Tree, where: str) -> None:
    """Raise ConfigurationError at the first change that is not on the list, with path and both values."""
    for place in sorted(before.keys() | after.keys()):
        old, new = before.get(place), after.get(place)
        if old is None and new is not None:
            _verify_added(before, after, place, new, where)
        elif old is not None and new is not None:
            _verify_changed(after, place, (old, new), where)
        else:
            raise _refused(where, place, "nothing is removed from a configuration", old, new)
    _verify_own_authorities(after, where)


def _verify_added(before: Tree, after: Tree, place: Place, new: Element, where: str) -> None:
    if place.kind == GROUP and _MEMBER.fullmatch(place.path):
        _verify_member(after, place, new, where)
    elif place.kind == VALUE and place.name == "AnchorPeers" and _FREE.fullmatch(place.path):
        if new.mod_policy != _ADMINS:
            raise _refused(where, place, "another modification policy than Admins", None, new)
    elif not (_MEMBER.fullmatch(place.parent) and Place(place.parent, GROUP) not in before):
        raise _refused(where, place, "this may not be added", None, new)


def _verify_changed(after: Tree, place: Place, change: tuple[Element, Element], where: str) -> None:
    old, new = change
    if old.mod_policy != new.mod_policy:
        raise _refused(where, place, "a modification policy may not change", old, new)
    if old.content == new.content:  # of a group, the children are looked at in their own places
        return
    if place == _ORDERERS:
        _verify_consenters(change, where)
        _verify_block_validation(after, where)
    elif place == _BLOCK_VALIDATION:
        _verify_block_validation(after, where)
    elif place.kind == VALUE and _MEMBER_MSP.fullmatch(place.path):
        _verify_rotation(place, change, where)
    elif place.kind != VALUE or not _FREE.fullmatch(place.path):
        raise _refused(where, place, f"this {place.kind} may not change", old, new)


def _verify_consenters(change: tuple[Element, Element], where: str) -> None:
    """As many of each organisation as before, and no number that passes to another one."""
    old, new = (parse_consenters(one.content) for one in change)
    owners = {one.identifier: one.msp_id for one in old}
    kept = all(owners.get(one.identifier, one.msp_id) == one.msp_id for one in new)
    if not kept or sorted(one.msp_id for one in old) != sorted(one.msp_id for one in new):
        raise ConfigurationError(
            STEP_CONFIGURATION,
            f"{where} {_ORDERERS}",
            "another organisation orders than before",
            expected=sorted((one.identifier, one.msp_id) for one in old),
            found=sorted((one.identifier, one.msp_id) for one in new),
        )


def _verify_block_validation(after: Tree, where: str) -> None:
    """The one policy that has to follow the consenters: a quorum of them, and nothing else."""
    expected = block_validation(parse_consenters(after[_ORDERERS].content))
    found = after[_BLOCK_VALIDATION].content
    if found != expected:
        raise ConfigurationError(
            STEP_CONFIGURATION,
            f"{where} {_BLOCK_VALIDATION}",
            "it is not a quorum of the consenters",
            expected=brief(decoded_policy(expected)),
            found=brief(decoded_policy(found)),
        )


def _verify_rotation(place: Place, change: tuple[Element, Element], where: str) -> None:
    kinds, (old, new) = zip(*(_msp(one) for one in change), strict=True)
    if kinds[0] != kinds[1]:
        raise _refused(where, place, "another kind of MSP", *change)
    for field in old.DESCRIPTOR.fields:
        one, other = (_only(msp, field.name) for msp in (old, new))
        if field.name not in _ROTATED and one != other:
            raise ConfigurationError(
                STEP_CONFIGURATION,
                f"{where} {place}",
                f"{field.name} may not change",
                expected=brief(decoded(one).get(field.name)),
                found=brief(decoded(other).get(field.name)),
            )


def _verify_member(after: Tree, place: Place, group: Element, where: str) -> None:
    """A new member has one name, the policies that every member has, and no say beyond itself."""
    if group.mod_policy != _ADMINS:
        raise _refused(where, place, "another modification policy than Admins", None, group)
    allowed: dict[Place, Callable[[Place, Element], str]] = {
        Place(f"{place.path}/MSP", VALUE): lambda _, one: _named_alike(place, one),
        Place(f"{place.path}/AnchorPeers", VALUE): lambda _, __: "",
        **{Place(f"{place.path}/{name}", POLICY): _member_policy for name in _MEMBER_POLICIES},
    }
    missing = [one for one in allowed if one.name != "AnchorPeers" and one not in group.members]
    for inner in sorted({*group.members, *missing}):
        element = after.get(inner)
        if inner not in allowed or element is None:
            raise ConfigurationError(
                STEP_CONFIGURATION,
                f"{where} {inner}",
                "a member's form is another one",
                expected="nothing" if inner not in allowed else "what every member has",
                found=shown(inner, element),
            )
        fault = "another modification policy than Admins" if element.mod_policy != _ADMINS else ""
        fault = fault or allowed[inner](inner, element)
        if fault:
            raise _refused(where, inner, fault, None, element)


def _named_alike(place: Place, element: Element) -> str:
    kind, msp = _msp(element)
    if kind:
        return "another kind of MSP than Fabric's own"
    return "" if msp.name == place.name else f"the MSP {msp.name!r} under the name {place.name!r}"


def _member_policy(place: Place, element: Element) -> str:
    principals = ", ".join(
        f"'{place.parent.rpartition('/')[2]}.{role}'" for role in _MEMBER_POLICIES[place.name]
    )
    wanted = f"OutOf(1, {principals})"
    try:
        policy = pb.policies.Policy.FromString(element.content)
        found = parse_policy(policy.value).describe()
    except (pb.DecodeError, PolicyUnsupported) as error:
        return f"not the policy {wanted}: {error}"
    if policy.type != pb.policies.Policy.SIGNATURE or found != wanted:
        return f"not the policy {wanted}"
    return ""


def _verify_own_authorities(tree: Tree, where: str) -> None:
    """No organisation certifies members of another one: each CA certificate stands for one MSP."""
    owners: dict[bytes, str] = {}
    for place, element in sorted(tree.items(), key=lambda item: item[0]):
        if place.kind == VALUE and _MEMBER_MSP.fullmatch(place.path):
            _, msp = _msp(element)
            for key in authority_keys(msp):
                if owners.setdefault(key, msp.name) != msp.name:
                    raise ConfigurationError(
                        STEP_CONFIGURATION,
                        f"{where} {place}",
                        "a certificate authority of two organisations",
                        expected=owners[key],
                        found=msp.name,
                    )


def _msp(element: Element) -> tuple[int, Any]:
    config = pb.msp_config.MSPConfig.FromString(element.content)
    return config.type, pb.msp_config.FabricMSPConfig.FromString(config.config)


def _only(message: pb.Message, name: str) -> pb.Message:
    """Return a copy with that field alone."""
    copy = type(message)()
    copy.CopyFrom(message)
    for field in message.DESCRIPTOR.fields:
        if field.name != name:
            copy.ClearField(field.name)
    return copy


def _refused(
    where: str, place: Place, message: str, old: Element | None, new: Element | None
) -> ConfigurationError:
    return ConfigurationError(
        STEP_CONFIGURATION,
        f"{where} {place}",
        message,
        expected=shown(place, old),
        found=shown(place, new),
    )
