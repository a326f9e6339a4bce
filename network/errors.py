"""What can go wrong with the network, in words for the person who runs it."""

from __future__ import annotations

from client.errors import UserError


class NetworkError(UserError):
    """The network could not be brought where it should be. `log_lines` are the failed part's last words."""

    def __init__(self, message: str, *, log_lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.log_lines = log_lines


class TopologyError(NetworkError):
    """The table of organizations, channels and chaincodes contradicts itself."""


class BuildError(NetworkError):
    """A binary could not be built."""


class PortTaken(NetworkError):  # noqa: N818  a condition, named as one
    """A port that a node needs is held by somebody else."""


class NodeFailed(NetworkError):  # noqa: N818  a condition, named as one
    """A node died, or did not become healthy in time."""

    def __init__(self, node: str, message: str, *, log_lines: tuple[str, ...] = ()) -> None:
        super().__init__(message, log_lines=log_lines)
        self.node = node


class CommandFailed(NetworkError):  # noqa: N818  a condition, named as one
    """One of Fabric's own commands refused."""
