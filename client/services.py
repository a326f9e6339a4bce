"""The platform's services wired to one running network and one database."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from client.ca import CAClient, generate_key, key_from_pem
from client.enrolment.issuer import register_issuer, to_der
from client.enrolment.service import WORKERS, EnrolmentService
from client.errors import UserError
from client.mandates import ChannelMandates, MandateRecorder
from client.meetings.amended import ChannelAmendments
from client.meetings.convener import Convener
from client.meetings.genesis import genesis_of
from client.meetings.lenders import LenderRegister
from client.meetings.supervisor import Supervisor
from client.platform import Database, Vault, database_url
from client.platform.times import now
from client.relay.delivery import Delivery
from client.relay.desk import AcknowledgementDesk, DoorSigner
from client.relay.failover import Failover
from client.relay.gateways import route
from client.relay.outbox import Outbox
from client.relay.worker import Relay
from client.sessions import SessionRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from client.connection import Profile
    from client.enrolment.approvals import Approvals
    from client.gateway import Gateway
    from client.platform.chain import Contract
    from client.platform.times import Clock
    from client.relay.batch import Limits
    from client.relay.watch import Watch

ASSOCIATION, REGULATOR, ARBITRATION = "AssociationMSP", "RegulatorMSP", "ArbitrationMSP"
ENDORSE_SECONDS, SUBMIT_SECONDS = 15.0, 15.0
OUTSTANDING = 100_000
"""How many acknowledged ballots may wait for the channel before a door takes no more: half a minute's."""
IN_FLIGHT = 8


class Services:
    """Makes each service for a role, and closes what it opened. Use it as a context manager."""

    def __init__(self, profile: Profile, database: Database, vault: Vault, *, clock: Clock = now) -> None:
        self.profile = profile
        self.database = database
        self.vault = vault
        self.clock = clock
        self._open = ExitStack()
        self._gateways: dict[tuple[str, str, str], Gateway] = {}

    @classmethod
    def at(cls, home: Path, *, clock: Clock = now) -> Self:
        """Open the services of a home: its network, its database, its key."""
        from client.connection import Profile  # noqa: PLC0415  only who connects needs a network

        profile = Profile.load(home)
        vault = Vault.open(home / "keys" / "platform.key")
        services = cls(profile, Database.open(database_url(home)), vault, clock=clock)
        services._open.callback(services.database.close)
        return services

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection that was opened here."""
        self._open.close()
        self._gateways.clear()

    # -- the network ----------------------------------------------------------------------------------

    def gateway(self, msp: str, role: str, via: str | None = None) -> Gateway:
        """Return a connection as a role of an org, by default through its own peer."""
        key = (msp, role, via or msp)
        if key not in self._gateways:
            timeouts = {"endorse_timeout": ENDORSE_SECONDS, "submit_timeout": SUBMIT_SECONDS}
            gateway = self.profile.gateway(msp, role, via=via, **timeouts)
            self._gateways[key] = self._open.enter_context(gateway)
        return self._gateways[key]

    def identity(self, msp: str, role: str) -> Contract:
        """Return chaincode `identity` as a role of an org."""
        return self.gateway(msp, role).network("identity").contract("identity")

    def arbitration(self, msp: str, role: str, institution: str) -> Contract:
        """Return chaincode `arbitration` on an institution's channel, as a role of an org."""
        channel = self.profile.arbitration_channel(institution)
        return self.gateway(msp, role).network(channel.name).contract(channel.chaincode)

    def genesis(self, institution: str, msp: str = REGULATOR, role: str = "officer") -> Mapping[str, str]:
        """Return the genesis hashes for an institution's meetings, computed from that org's own peer."""
        gateway = self.gateway(msp, role)
        return genesis_of(
            institution, self.profile.channel, lambda channel: gateway.network(channel).contract("qscc")
        )

    # -- the stages -----------------------------------------------------------------------------------

    def lenders(self) -> LenderRegister:
        """Return the register of persons and pseudonyms."""
        return LenderRegister(self.database, self.vault, clock=self.clock)

    def register_issuer(self, institution: str) -> str:
        """Register the institution's lender CA on `identity`, both steps; return its thumbprint."""
        roots = self.profile.org(institution).roots
        if "lender" not in roots:
            raise UserError(f"{institution} has no lender CA: only institutions have one")
        return register_issuer(
            self.identity(institution, "officer"),
            self.identity(REGULATOR, "officer"),
            institution,
            to_der(roots["lender"].read_bytes()),
        )

    def enrolment(
        self, institution: str, approvals: Approvals, *, workers: int = WORKERS
    ) -> EnrolmentService:
        """Return the enrolment of an institution's lenders, `workers` of them at the CA at a time.

        `approvals` says who passed a check.
        """
        authority = self.profile.org(institution).ca
        root = authority.tls_root.read_bytes()
        ca = self._open.enter_context(CAClient(authority.url, authority.names["lender"], root))
        key = generate_key()
        secret = authority.registrar_secret_file.read_text(encoding="utf-8").strip()
        enrolled = ca.enroll(authority.registrar, secret, key)
        return EnrolmentService(
            self.database,
            self.vault,
            institution,
            registrar=ca.registrar(enrolled.cert_pem, key),
            ca=ca,
            verifier=self.identity(ASSOCIATION, "verifier"),
            approvals=approvals,
            workers=workers,
        )

    def sessions(self) -> SessionRecorder:
        """Return the recorder of identity checks."""
        return SessionRecorder(self.database, self.vault, self.identity(ASSOCIATION, "verifier"))

    def convener(self, institution: str) -> Convener:
        """Return the institution's side of its meetings."""
        officer = self.arbitration(institution, "officer", institution)
        return Convener(self.database, officer, clock=self.clock)

    def supervisor(self, institution: str) -> Supervisor:
        """Return the Regulator's side of an institution's meetings."""
        officer = self.arbitration(REGULATOR, "officer", institution)
        return Supervisor(officer, self.genesis(institution), clock=self.clock)

    # -- ballots --------------------------------------------------------------------------------------

    def signer(self, msp: str = ASSOCIATION) -> DoorSigner:
        """Return the relay identity by which a door signs."""
        credentials = self.profile.org(msp).identity("relay")
        key = key_from_pem(credentials.key.read_bytes())
        return DoorSigner(msp, to_der(credentials.cert.read_bytes()), key)

    def desk(
        self,
        mtg: str,
        msp: str = ASSOCIATION,
        taken: Callable[[], None] = lambda: None,
        bound: int | None = OUTSTANDING,
    ) -> AcknowledgementDesk:
        """Return a door's acknowledgement desk for a meeting; with `bound` ballots outstanding it is busy."""
        return AcknowledgementDesk(
            self.database,
            mtg,
            self.signer(msp),
            mandates=self.mandates(msp),
            amendments=self.amendments(msp),
            bound=bound,
            clock=self.clock,
            taken=taken,
        )

    def mandates(self, msp: str = ASSOCIATION) -> ChannelMandates:
        """Return the mandates of any institution's channel, as a door's relay sees them."""
        return ChannelMandates(lambda institution: self.arbitration(msp, "relay", institution))

    def amendments(self, msp: str = ASSOCIATION) -> ChannelAmendments:
        """Return the rolls' amendments on any institution's channel, as a door's relay sees them."""
        return ChannelAmendments(lambda institution: self.arbitration(msp, "relay", institution))

    def mandate_recorder(self, mtg: str, institution: str, msp: str = ASSOCIATION) -> MandateRecorder:
        """Return what brings mandates for a meeting to its channel, as a door's relay."""
        return MandateRecorder(self.database, mtg, self.arbitration(msp, "relay", institution))

    def outbox(self, mtg: str, *, msp: str = ASSOCIATION, name: str = "relay") -> Outbox:
        """Return a door's outbox for a meeting, as the relay of that name sees it."""
        return Outbox(self.database, mtg=mtg, door=msp, relay=name, clock=self.clock)

    def relay(
        self,
        mtg: str,
        institution: str,
        *,
        msp: str = ASSOCIATION,
        name: str = "relay",
        limits: Limits | None = None,
        workers: int = 2,
        watch: Watch | None = None,
    ) -> Relay:
        """Return a relay that carries a door's ballots to the channel through any org's gateway."""
        channel = self.profile.arbitration_channel(institution)
        others = [ASSOCIATION, REGULATOR, ARBITRATION, institution]
        order = [msp, *(org for org in others if org != msp)]
        routes = [
            route(self.gateway(msp, "relay", via=via), via, channel.name, channel.chaincode)
            for via in order
            if via in channel.orgs
        ]
        outbox = self.outbox(mtg, msp=msp, name=name)
        delivery = Delivery(outbox, Failover(routes), watch)
        flying = max(IN_FLIGHT, workers)
        return Relay(outbox, delivery, limits=limits, workers=workers, in_flight=flying, watch=watch)
