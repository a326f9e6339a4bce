"""A channel's configuration as a tree: every group, value and policy by its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.decoded import brief, decoded_policy, decoded_value

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "group"
VALUE = "value"
POLICY = "policy"
ROOT = "/Channel"

_NAME = re.compile(r"[a-zA-Z0-9.-]{1,249}")  # Fabric's configtx.validateConfigID


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """Where an element stands: its kind and its path, such as `value /Channel/Orderer/BatchSize`."""

    path: str
    kind: str

    @property
    def parent(self) -> str:
        """Return the path of the group that holds it; "" for the root."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def scope(self) -> str:
        """Return the group in which the name of its modification policy is looked up."""
        return self.path if self.kind == GROUP else self.parent

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"


@dataclass(frozen=True, slots=True)
class Element:
    """One element without its children: `content` is a value's bytes or a policy's serialized form.

    `members` are the children of a group.
    """

    version: int
    mod_policy: str
    content: bytes = b""
    members: frozenset[Place] = frozenset()


Tree = dict[Place, Element]


def parse_tree(group: pb.Message) -> Tree:
    """Return every element of a common.ConfigGroup by its place; raises ValueError where it is malformed.

    Fields that the format does not have are refused, so that equal trees mean equal messages.
    """
    tree: Tree = {}
    for place, element in _walk(ROOT, group):
        tree[place] = element
    return tree


def shown(place: Place, element: Element | None) -> str:
    """Return an element in words, for a finding."""
    if element is None:
        return "nothing"
    head = f"version {element.version}, mod_policy {element.mod_policy!r}"
    if place.kind == GROUP:
        return f"{head}, {sorted(str(one) for one in element.members)}"
    opened = (decoded_value if place.kind == VALUE else lambda _, raw: decoded_policy(raw))(
        place.name, element.content
    )
    return f"{head}, {brief(opened)}"


def _walk(path: str, group: pb.Message) -> Iterator[tuple[Place, Element]]:
    _known(path, group)
    members: set[Place] = set()
    for name, child in group.groups.items():
        inner = f"{path}/{_named(path, name)}"
        members.add(Place(inner, GROUP))
        yield from _walk(inner, child)
    for name, value in group.values.items():
        place = Place(f"{path}/{_named(path, name)}", VALUE)
        _known(place, value)
        members.add(place)
        yield place, Element(value.version, value.mod_policy, value.value)
    for name, policy in group.policies.items():
        place = Place(f"{path}/{_named(path, name)}", POLICY)
        _known(place, policy)
        _known(place, policy.policy)
        members.add(place)
        content = policy.policy.SerializeToString(deterministic=True)
        yield place, Element(policy.version, policy.mod_policy, content)
    yield Place(path, GROUP), Element(group.version, group.mod_policy, members=frozenset(members))


def _named(path: str, name: str) -> str:
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError(f"{name!r} under {path} is no name")
    return name


def _known(place: object, message: pb.Message) -> None:
    if pb.has_unknown_fields(message):
        raise ValueError(f"{place} has a field that a configuration does not have")
