"""Fabric's protobuf messages, in one place: the generated modules carry no types to check against."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import (
    common_pb2 as _common,
)
from fabric_protos.common import (
    configtx_pb2 as _configtx,
)
from fabric_protos.common import (
    configuration_pb2 as _configuration,
)
from fabric_protos.common import ledger_pb2 as _ledger
from fabric_protos.common import (
    policies_pb2 as _policies,
)
from fabric_protos.ledger.rwset import rwset_pb2 as _rwset
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as _kvrwset
from fabric_protos.msp import (
    identities_pb2 as _identities,
)
from fabric_protos.msp import (
    msp_config_pb2 as _msp_config,
)
from fabric_protos.msp import (
    msp_principal_pb2 as _msp_principal,
)
from fabric_protos.orderer import configuration_pb2 as _orderer_configuration
from fabric_protos.orderer.smartbft import configuration_pb2 as _smartbft
from fabric_protos.peer import (
    chaincode_event_pb2 as _event,
)
from fabric_protos.peer import (
    chaincode_pb2 as _chaincode,
)
from fabric_protos.peer import (
    configuration_pb2 as _peer_configuration,
)
from fabric_protos.peer import (
    policy_pb2 as _policy,
)
from fabric_protos.peer import (
    proposal_pb2 as _proposal,
)
from fabric_protos.peer import (
    proposal_response_pb2 as _proposal_response,
)
from fabric_protos.peer import (
    transaction_pb2 as _transaction,
)
from fabric_protos.peer.lifecycle import chaincode_definition_pb2 as _definition
from fabric_protos.peer.lifecycle import db_pb2 as _lifecycle_db
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-not-found]

Message = Any  # any generated message; its fields are known only at run time

common: Any = _common
configtx: Any = _configtx
configuration: Any = _configuration
policies: Any = _policies
rwset: Any = _rwset
kvrwset: Any = _kvrwset
identities: Any = _identities
msp_config: Any = _msp_config
msp_principal: Any = _msp_principal
chaincode: Any = _chaincode
event: Any = _event
orderer_configuration: Any = _orderer_configuration
peer_configuration: Any = _peer_configuration
smartbft: Any = _smartbft
policy: Any = _policy
proposal: Any = _proposal
proposal_response: Any = _proposal_response
transaction: Any = _transaction
definition: Any = _definition
ledger: Any = _ledger
lifecycle_db: Any = _lifecycle_db

__all__ = ["DecodeError", "Message"]


def has_unknown_fields(message: Message) -> bool:
    """Say whether the message itself (not those in it) carries a field that its type does not have."""
    return len(UnknownFieldSet(message)) > 0
