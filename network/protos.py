"""Fabric's generated message modules; they have no type stubs, so to a type checker they are `Any`."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2 as _common
from fabric_protos.discovery import protocol_pb2 as _discovery
from fabric_protos.discovery import protocol_pb2_grpc as _discovery_grpc
from fabric_protos.msp import identities_pb2 as _identities

common_pb2: Any = _common
discovery_pb2: Any = _discovery
discovery_pb2_grpc: Any = _discovery_grpc
identities_pb2: Any = _identities
