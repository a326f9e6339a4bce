"""Fabric's generated message modules, in one place.

`hyperledger-fabric-protos` builds its classes at run time and has no type stubs, so they are
`Any` to a type checker; everything this package gives out is typed by hand on top of them.
"""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2 as _common
from fabric_protos.gateway import gateway_pb2 as _gateway
from fabric_protos.gateway import gateway_pb2_grpc as _gateway_grpc
from fabric_protos.msp import identities_pb2 as _identities
from fabric_protos.orderer import ab_pb2 as _ab
from fabric_protos.peer import chaincode_event_pb2 as _chaincode_event
from fabric_protos.peer import chaincode_pb2 as _chaincode
from fabric_protos.peer import events_pb2 as _events
from fabric_protos.peer import events_pb2_grpc as _events_grpc
from fabric_protos.peer import proposal_pb2 as _proposal
from fabric_protos.peer import proposal_response_pb2 as _proposal_response
from fabric_protos.peer import transaction_pb2 as _transaction
from google.rpc import status_pb2 as _status

ab_pb2: Any = _ab
chaincode_event_pb2: Any = _chaincode_event
chaincode_pb2: Any = _chaincode
common_pb2: Any = _common
events_pb2: Any = _events
events_pb2_grpc: Any = _events_grpc
gateway_pb2: Any = _gateway
gateway_pb2_grpc: Any = _gateway_grpc
identities_pb2: Any = _identities
proposal_pb2: Any = _proposal
proposal_response_pb2: Any = _proposal_response
status_pb2: Any = _status
transaction_pb2: Any = _transaction
