"""The orderers' quorum: enough distinct consenters signed a block's header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from auditor.errors import BlockError
from auditor.members import NotAMember, verify_signature

if TYPE_CHECKING:
    from auditor.blocks import Block
    from auditor.configuration import ChannelConfiguration

STEP_QUORUM = 4


def verify_quorum(block: Block, configuration: ChannelConfiguration, last_config: int) -> None:
    """Step 4: a BFT quorum of distinct consenters signed value || identifier header || header DER.

    The signed value names the block of the configuration in force, which must be `last_config`
    (the block itself where it carries a configuration).
    """
    if block.last_config != last_config:
        raise BlockError(
            STEP_QUORUM,
            block.where,
            "the orderers worked under another configuration block",
            expected=last_config,
            found=block.last_config,
        )
    header = block.header.encoded()
    consenters = {one.identifier: one for one in configuration.consenters}
    signers: set[int] = set()
    for one in block.signatures:
        consenter = consenters.get(one.identifier) if one.identifier is not None else None
        if consenter is None or consenter.identifier in signers:
            continue
        key = consenter.certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            continue
        try:
            verify_signature(key, block.signed_value + one.identifier_header + header, one.signature)
        except NotAMember:
            continue
        signers.add(consenter.identifier)
    if len(signers) < configuration.quorum:
        raise BlockError(
            STEP_QUORUM,
            block.where,
            "too few distinct consenters signed it",
            expected=f"{configuration.quorum} of {len(consenters)}",
            found=f"{len(signers)} ({sorted(signers)})",
        )
