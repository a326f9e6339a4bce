"""The log's tree and proofs against RFC 9162 word for word, and an outside library."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.log.errors import LogRefused
from auditor.log.proofs import verify_consistency, verify_inclusion
from auditor.log.tree import EMPTY_ROOT, LogTree, MemoryNodes
from client.encodings.merkle import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = 33


def leaf(number: int) -> bytes:
    return f"leaf {number}".encode()


def naive_split(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """Section 2.1.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = naive_split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = naive_split(len(leaves))
    if index < split:
        return [*naive_inclusion(leaves[:split], index), naive_root(leaves[split:])]
    return [*naive_inclusion(leaves[split:], index - split), naive_root(leaves[:split])]


def naive_consistency(leaves: Sequence[bytes], first: int, *, whole: bool = True) -> list[bytes]:
    """Section 2.1.4.1."""
    if first == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = naive_split(len(leaves))
    if first <= split:
        return [*naive_consistency(leaves[:split], first, whole=whole), naive_root(leaves[split:])]
    return [*naive_consistency(leaves[split:], first - split, whole=False), naive_root(leaves[:split])]


def tree_of(size: int, *parts: int) -> LogTree:
    """A tree grown in steps: up to each of `parts`, then to `size`; each step by a tree opened anew."""
    store = MemoryNodes()
    for end in sorted({*(part for part in parts if part <= size), size}):
        tree = LogTree(store)
        tree.extend(leaf_hash(leaf(number)) for number in range(tree.size, end))
    return LogTree(store)


def outside(size: int) -> Any:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        tree.append_entry(leaf(number))
    return tree


def check_inclusion(tree: LogTree, leaves: Sequence[bytes], index: int, size: int) -> None:
    path = tree.inclusion(index, size)
    assert list(path) == naive_inclusion(leaves[:size], index)
    verify_inclusion(leaves[index], index=index, size=size, path=path, root=tree.root(size))


def check_consistency(tree: LogTree, leaves: Sequence[bytes], first: int, second: int) -> None:
    path = tree.consistency(first, second)
    assert list(path) == (naive_consistency(leaves[:second], first) if first else [])
    verify_consistency(
        first=first, second=second, first_root=tree.root(first), second_root=tree.root(second), path=path
    )


def test_every_small_tree_is_the_reference() -> None:
    tree, leaves = tree_of(SMALL, 5, 16), [leaf(number) for number in range(SMALL)]
    for size in range(SMALL + 1):
        assert tree.root(size) == naive_root(leaves[:size])
        for other in range(size):
            check_inclusion(tree, leaves, other, size)
        for other in range(size + 1):
            check_consistency(tree, leaves, other, size)


@given(st.integers(34, 600), st.lists(st.integers(0, 600), max_size=3), st.data())
def test_any_larger_tree_is_the_reference(size: int, parts: list[int], data: st.DataObject) -> None:
    tree, leaves = tree_of(size, *parts), [leaf(number) for number in range(size)]
    then = data.draw(st.integers(1, size))
    assert tree.root() == naive_root(leaves)
    check_inclusion(tree, leaves, data.draw(st.integers(0, then - 1)), then)
    check_consistency(tree, leaves, data.draw(st.integers(0, then)), then)


@given(st.integers(1, 300), st.data())
def test_an_outside_library_agrees(size: int, data: st.DataObject) -> None:
    tree, other = tree_of(size), outside(size)
    first, index = data.draw(st.integers(1, size)), data.draw(st.integers(0, size - 1))
    assert (tree.root(), tree.root(first)) == (other.get_root(), other.get_root(first))
    included = [bytes.fromhex(node) for node in other.prove_inclusion(index + 1).serialize()["path"]]
    included.remove(leaf_hash(leaf(index)))  # which has a place of its own in that library's path
    assert sorted(included) == sorted(tree.inclusion(index))
    # Its consistency proofs have another form than the RFC's; they still have to lead to our roots.
    pymerkle.verify_consistency(tree.root(first), tree.root(), other.prove_consistency(first, size))


def refusal(**parts: Any) -> str:
    verify = verify_consistency if "first" in parts else verify_inclusion
    with pytest.raises(LogRefused) as caught:
        verify(**parts)
    return caught.value.code


@given(st.integers(2, 300), st.data())
def test_no_changed_inclusion_proof_passes(size: int, data: st.DataObject) -> None:
    tree, index = tree_of(size), data.draw(st.integers(0, size - 1))
    good = {
        "leaf": leaf(index),
        "index": index,
        "size": size,
        "path": tree.inclusion(index),
        "root": tree.root(),
    }
    change = data.draw(st.sampled_from(["leaf", "index", "size", "longer", "shorter", "bit", "root"]))
    path = list(tree.inclusion(index))
    place = data.draw(st.integers(0, len(path) - 1))
    codes = {"LOG_ROOT", "LOG_PATH"}
    match change:
        case "leaf":
            good["leaf"] = leaf(index) + b"!"
        case "index":
            good["index"] = data.draw(st.integers(-1, size).filter(lambda other: other != index))
            codes.add("LOG_PLACE")
        case "size":
            # Two sizes may give a leaf one path; then the root says nothing about the size: the head does.
            other = data.draw(st.integers(0, size - 1))
            if other > index and len(naive_inclusion([leaf(n) for n in range(other)], index)) == len(path):
                return
            good["size"] = other
            codes.add("LOG_PLACE")
        case "longer":
            good["path"] = [*path, bytes(32)]
        case "shorter":
            good["path"] = path[:place] + path[place + 1 :]
        case "bit":
            good["path"] = [*path[:place], bytes([path[place][0] ^ 1]) + path[place][1:], *path[place + 1 :]]
        case "root":
            good["root"] = tree.root(size - 1)
    assert refusal(**good) in codes


@given(st.integers(2, 300), st.data())
def test_no_changed_consistency_proof_passes(size: int, data: st.DataObject) -> None:
    tree, first = tree_of(size), data.draw(st.integers(1, size - 1))
    path = list(tree.consistency(first))
    place = data.draw(st.integers(0, len(path) - 1))
    good: dict[str, Any] = {"first": first, "second": size, "path": path}
    good |= {"first_root": tree.root(first), "second_root": tree.root()}
    match data.draw(
        st.sampled_from(["first_root", "second_root", "longer", "shorter", "empty", "bit", "width"])
    ):
        case "first_root" | "second_root" as name:
            good[name] = bytes(32)
        case "longer":
            good["path"] = [*path, bytes(32)]
        case "shorter":
            good["path"] = path[:place] + path[place + 1 :]
        case "empty":
            good["path"] = []
        case "bit":
            good["path"] = [*path[:place], bytes([path[place][0] ^ 1]) + path[place][1:], *path[place + 1 :]]
        case "width":
            good["path"] = [*path[:place], path[place][:31], *path[place + 1 :]]
    assert refusal(**good) in {"LOG_ROOT", "LOG_PATH"}


def test_sizes_that_prove_nothing() -> None:
    tree = tree_of(8)
    same = {"first_root": tree.root(), "second_root": tree.root()}
    assert refusal(first=9, second=8, path=[], **same) == "LOG_SIZES"
    assert refusal(first=-1, second=8, path=[], **same) == "LOG_SIZES"
    assert refusal(first=8, second=8, path=[bytes(32)], **same) == "LOG_PATH"
    assert refusal(first=0, second=8, path=[], **same) == "LOG_ROOT"
    empty = {"first_root": EMPTY_ROOT, "second_root": tree.root()}
    assert refusal(first=0, second=8, path=[bytes(32)], **empty) == "LOG_PATH"
    verify_consistency(first=0, second=8, path=[], **empty)
    assert refusal(first=8, second=8, path=[], first_root=tree.root(), second_root=tree.root(7)) == "LOG_ROOT"
    assert refusal(first=0, second=0, path=[], first_root=EMPTY_ROOT, second_root=tree.root()) == "LOG_ROOT"


def test_a_refusal_carries_both_values() -> None:
    tree = tree_of(5)
    with pytest.raises(LogRefused) as caught:
        verify_inclusion(leaf(0), index=0, size=5, path=tree.inclusion(0), root=bytes(32))
    assert caught.value.expected == "A" * 43
    assert caught.value.found not in (None, "A" * 43)


def test_what_the_tree_has_not_reached_is_refused() -> None:
    tree = tree_of(5)
    for ask in (
        lambda: tree.root(6),
        lambda: tree.inclusion(5),
        lambda: tree.inclusion(-1),
        lambda: tree.inclusion(0, 0),
        lambda: tree.inclusion(0, 6),
        lambda: tree.consistency(2, 6),
    ):
        with pytest.raises(LogRefused) as caught:
            ask()
        assert caught.value.code == "LOG_PLACE"
    with pytest.raises(LogRefused) as caught:
        tree.consistency(4, 3)
    assert caught.value.code == "LOG_SIZES"


class CountingNodes(MemoryNodes):
    """Counts what is read and written."""

    def __init__(self) -> None:
        super().__init__()
        self.read = self.written = 0

    def nodes(self, places: Any) -> Any:
        self.read += len(places)
        return super().nodes(places)

    def add(self, nodes: Any) -> None:
        self.written += len(nodes)
        super().add(nodes)


@pytest.mark.parametrize("size", [1, 2**10 - 1, 2**10, 2**13 + 5])
def test_an_append_costs_no_more_than_the_height(size: int) -> None:
    store = CountingNodes()
    LogTree(store).extend(leaf_hash(leaf(number)) for number in range(size))
    store.read = store.written = 0
    LogTree(store).extend([leaf_hash(b"one more")])
    assert store.read <= size.bit_length()
    assert store.written <= size.bit_length() + 1


@pytest.mark.parametrize("size", [2**10 - 1, 2**13 + 5])
def test_a_proof_reads_few_nodes(size: int) -> None:
    store = CountingNodes()
    tree = LogTree(store)
    tree.extend(leaf_hash(leaf(number)) for number in range(size))
    store.read = 0
    tree.inclusion(size // 3)
    tree.consistency(size // 3)
    assert store.read <= 4 * size.bit_length()
