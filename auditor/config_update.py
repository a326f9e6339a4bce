"""Applies a signed configuration update to the configuration before it (Fabric's common/configtx)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.config_tree import GROUP, POLICY, ROOT, Place, Tree, parse_tree, shown
from auditor.errors import ConfigurationError
from auditor.members import Member, NotAMember
from auditor.policies import PolicyUnsupported, parse_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.config_tree import Element
    from auditor.members import Membership

STEP_CONFIGURATION = 5
_MOD_POLICY = re.compile(r"/?[a-zA-Z0-9.-]{1,249}(/[a-zA-Z0-9.-]{1,249})*")


@dataclass(frozen=True, slots=True)
class Update:
    """A configuration update as it was signed; `signers` are those whose signature verifies."""

    channel: str
    read_set: Tree
    write_set: Tree
    signers: tuple[Member, ...]


def parse_update(last_update: pb.Message, members: Membership, where: str) -> Update:
    """Read the update from a configuration's `last_update`; raises ConfigurationError.

    Signatures that do not verify under the configuration in force don't count, as in Fabric.
    """
    try:
        payload = pb.common.Payload.FromString(last_update.payload)
        header = pb.common.ChannelHeader.FromString(payload.header.channel_header)
        signed = pb.configtx.ConfigUpdateEnvelope.FromString(payload.data)
        update = pb.configtx.ConfigUpdate.FromString(signed.config_update)
        read_set = parse_tree(update.read_set) if update.HasField("read_set") else {}
        write_set = parse_tree(update.write_set) if update.HasField("write_set") else {}
    except (pb.DecodeError, ValueError) as error:
        raise ConfigurationError(STEP_CONFIGURATION, where, f"malformed update: {error}") from error
    if header.type != pb.common.CONFIG_UPDATE:
        raise ConfigurationError(
            STEP_CONFIGURATION,
            where,
            "what it was made from is no configuration update",
            expected=pb.common.CONFIG_UPDATE,
            found=header.type,
        )
    signers: dict[tuple[str, object], Member] = {}
    for one in signed.signatures:
        try:
            creator = pb.common.SignatureHeader.FromString(one.signature_header).creator
            member = members.member(creator)
            member.verify(one.signature_header + signed.config_update, one.signature)
        except (NotAMember, pb.DecodeError):
            continue
        signers[member.msp_id, member.certificate] = member
    return Update(update.channel_id, read_set, write_set, tuple(signers.values()))


def apply_update(tree: Tree, update: Update, where: str) -> Tree:
    """Return the configuration that the update makes of `tree`; raises ConfigurationError.

    Everything that was read still has that version; everything written is one version on (0 where
    it is new) and signed as the modification policy *before* the update asks. The rest stays, and
    what no group names any more is gone. What Fabric mends in channels of its version 1.0 is not done.
    """
    for place, read in update.read_set.items():
        current = tree.get(place)
        if current is None or current.version != read.version:
            raise _refused(
                where, place, "the update read another version", read.version, current and current.version
            )
    written = {
        place: element
        for place, element in update.write_set.items()
        if place not in update.read_set or update.read_set[place].version != element.version
    }
    if not written:
        raise ConfigurationError(STEP_CONFIGURATION, where, "the update changes nothing")
    for place, element in sorted(written.items()):
        _verify_written(tree, place, element, update.signers, where)
    return _reachable({**tree, **written}, where)


def verify_equal(expected: Tree, found: Tree, where: str) -> None:
    """Raise ConfigurationError at the first place where two configurations differ."""
    for place in sorted(expected.keys() | found.keys()):
        one, other = expected.get(place), found.get(place)
        if one != other:
            raise _refused(
                where, place, "the update does not make this", shown(place, one), shown(place, other)
            )


def _verify_written(
    tree: Tree, place: Place, element: Element, signers: tuple[Member, ...], where: str
) -> None:
    if not _MOD_POLICY.fullmatch(element.mod_policy):
        raise _refused(where, place, "it names no modification policy", "a policy", element.mod_policy)
    current = tree.get(place)
    version = 0 if current is None else current.version + 1
    if element.version != version:
        raise _refused(where, place, "it is not the next version", version, element.version)
    if current is None:
        return
    try:
        _policy(tree, place, current.mod_policy, signers)
    except (NotAMember, PolicyUnsupported, pb.DecodeError) as error:
        raise _refused(
            where,
            place,
            f"the update is not signed as it has to be: {error}",
            current.mod_policy or "a modification policy",
            sorted(one.msp_id for one in signers),
        ) from error


def _policy(tree: Tree, place: Place, mod_policy: str, signers: tuple[Member, ...]) -> None:
    path = mod_policy if mod_policy.startswith("/") else f"{place.scope}/{mod_policy}"
    element = tree.get(Place(path, POLICY))
    if element is None:
        raise PolicyUnsupported(f"there is no policy {path}")
    policy = pb.policies.Policy.FromString(element.content)
    if policy.type != pb.policies.Policy.SIGNATURE:
        raise PolicyUnsupported(f"{path} is not a signature policy")
    parse_policy(policy.value).verify(signers)


def _reachable(tree: Mapping[Place, Element], where: str) -> Tree:
    kept: Tree = {}
    waiting = [Place(ROOT, GROUP)]
    while waiting:
        place = waiting.pop()
        element = tree.get(place)
        if element is None:
            raise _refused(where, place, "a group names what is not there", "an element", "nothing")
        kept[place] = element
        waiting.extend(element.members)
    return kept


def _refused(where: str, place: Place, message: str, expected: object, found: object) -> ConfigurationError:
    return ConfigurationError(STEP_CONFIGURATION, f"{where} {place}", message, expected=expected, found=found)
