"""Trees, caps and paths against two references: an outside library, and RFC 9162 word for word."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.encodings import merkle

if TYPE_CHECKING:
    from collections.abc import Sequence


def leaf(number: int) -> bytes:
    return f"leaf {number}".encode()


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = naive_split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """RFC 9162 section 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    split = naive_split(len(leaves))
    if index < split:
        return [*naive_path(leaves[:split], index), naive_root(leaves[split:])]
    return [*naive_path(leaves[split:], index - split), naive_root(leaves[:split])]


def naive_split(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def outside(size: int) -> Any:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        tree.append_entry(leaf(number))
    return tree


def tree_of(size: int) -> merkle.Tree:
    return merkle.Tree(merkle.leaf_hash(leaf(number)) for number in range(size))


def check_size(size: int, indexes: Sequence[int]) -> None:
    tree, leaves, other = tree_of(size), [leaf(number) for number in range(size)], outside(size)
    assert tree.root == naive_root(leaves) == other.get_root()
    for index in indexes:
        path = tree.path(index)
        assert list(path) == naive_path(leaves, index)
        merkle.verify_path(merkle.leaf_hash(leaves[index]), index=index, size=size, path=path, root=tree.root)
        assert sorted(outside_path(other, index)) == sorted(path)


def outside_path(tree: Any, index: int) -> list[bytes]:
    """Return the library's path without the leaf, which it has in the place that it takes in the tree."""
    proof = tree.prove_inclusion(index + 1).serialize()
    hashes = [bytes.fromhex(node) for node in proof["path"]]
    hashes.remove(merkle.leaf_hash(leaf(index)))
    return hashes


@pytest.mark.parametrize("size", range(1, 41))
def test_every_small_tree_is_both_references(size: int) -> None:
    check_size(size, range(size))


@given(st.integers(41, 700), st.data())
def test_any_larger_tree_is_both_references(size: int, data: st.DataObject) -> None:
    check_size(size, [data.draw(st.integers(0, size - 1))])


@pytest.mark.parametrize("size", range(1, 41))
def test_the_cap_is_consistent_at_every_height(size: int) -> None:
    tree, leaves = tree_of(size), [leaf(number) for number in range(size)]
    for height in range(size.bit_length() + 2):
        cap = tree.cap(height)
        runs = [leaves[start : start + (1 << height)] for start in range(0, size, 1 << height)]
        assert list(cap) == [naive_root(run) for run in runs]
        merkle.verify_cap(cap, size=size, height=height, root=tree.root)
        for index in range(size):
            path = tree.run_path(index, height)
            assert len(path) <= height
            assert list(path) == naive_path(runs[index >> height], index % (1 << height))
            merkle.verify_run_path(
                merkle.leaf_hash(leaves[index]), index=index, size=size, height=height, path=path, cap=cap
            )


@given(st.integers(2, 300), st.data())
def test_no_leaf_proves_another_place(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    index, claimed = data.draw(st.integers(0, size - 1)), data.draw(st.integers(-1, size))
    height = data.draw(st.integers(0, 5))
    cap, path = tree.cap(height), tree.run_path(index, height)
    value = merkle.leaf_hash(leaf(index))
    if claimed == index:
        return
    with pytest.raises(merkle.ProofError):
        merkle.verify_path(value, index=claimed, size=size, path=tree.path(index), root=tree.root)
    with pytest.raises(merkle.ProofError):
        merkle.verify_run_path(value, index=claimed, size=size, height=height, path=path, cap=cap)


@given(st.integers(1, 300), st.data())
def test_no_changed_path_proves_anything(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    index = data.draw(st.integers(0, size - 1))
    path = list(tree.path(index))
    change = data.draw(st.sampled_from(["longer", "shorter", "bit"]))
    if change == "longer" or not path:
        path.append(data.draw(st.binary(min_size=32, max_size=32)))
    elif change == "shorter":
        path.pop(data.draw(st.integers(0, len(path) - 1)))
    else:
        place = data.draw(st.integers(0, len(path) - 1))
        path[place] = bytes([path[place][0] ^ 1]) + path[place][1:]
    with pytest.raises(merkle.ProofError):
        merkle.verify_path(merkle.leaf_hash(leaf(index)), index=index, size=size, path=path, root=tree.root)


@given(st.integers(1, 10**7))
def test_the_cap_height_is_the_smallest_that_fits(size: int) -> None:
    height = merkle.cap_height(size)
    assert merkle.cap_size(size, height) <= merkle.MAX_CAP
    assert height == 0 or merkle.cap_size(size, height - 1) > merkle.MAX_CAP


def test_a_tree_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one leaf"):
        merkle.Tree([])
    with pytest.raises(ValueError, match="no leaf"):
        tree_of(3).path(3)
