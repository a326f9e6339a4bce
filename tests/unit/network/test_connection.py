from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from client.connection import NoNetwork, Profile, ProfileError

if TYPE_CHECKING:
    from pathlib import Path

CONTENT: dict[str, Any] = {
    "v": 1,
    "channels": {
        "identity": {"genesis": "ab" * 32, "orgs": ["AssociationMSP"], "chaincode": "identity"},
        "arbitration-institutiona": {
            "genesis": "cd" * 32,
            "orgs": ["AssociationMSP"],
            "chaincode": "arbitration",
            "institution": "InstitutionAMSP",
        },
    },
    "orgs": {
        "AssociationMSP": {
            "name": "association",
            "peers": [
                {"name": "peer0.association", "address": "127.0.0.1:17051", "tls_root": "orgs/a/tls.pem"}
            ],
            "orderers": [
                {
                    "name": "orderer0.association",
                    "address": "127.0.0.1:17050",
                    "admin": "127.0.0.1:17053",
                    "tls_root": "orgs/a/tls.pem",
                }
            ],
            "ca": {
                "url": "https://127.0.0.1:17054",
                "tls_root": "orgs/a/tls.pem",
                "names": {"identity": "identity-ca", "tls": "tls-ca"},
                "registrar": {"name": "registrar", "secret_file": "orgs/a/registrar.secret"},
            },
            "roots": {"identity": "orgs/a/identity.pem", "tls": "orgs/a/tls.pem"},
            "identities": {"admin": {"cert": "a.pem", "key": "a.key"}},
        }
    },
}


def write(home: Path, content: str) -> None:
    (home / "network").mkdir()
    (home / "network" / "connection.json").write_text(content, encoding="utf-8")


def test_paths_are_below_the_home(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(CONTENT))
    profile = Profile.load(tmp_path)
    org = profile.org("AssociationMSP")
    assert org.ca.registrar_secret_file == tmp_path / "network" / "orgs/a/registrar.secret"
    assert org.roots["tls"] == tmp_path / "network" / "orgs/a/tls.pem"
    assert org.identity("admin").key == tmp_path / "network" / "a.key"
    assert [peer.address for peer in profile.peers()] == ["127.0.0.1:17051"]
    assert profile.arbitration_channel("InstitutionAMSP").name == "arbitration-institutiona"
    assert profile.channel("identity").institution is None


def test_no_network_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoNetwork, match=r"no network is running in .*; run `concordat network up`") as caught:
        Profile.load(tmp_path)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"v": 2}', '{"v": 1}', '{"v": 1, "channels": {}, "orgs": {"X": {}}}'],
)
def test_a_damaged_profile_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    write(tmp_path, content)
    with pytest.raises(ProfileError, match=r"connection\.json"):
        Profile.load(tmp_path)


@pytest.mark.parametrize("genesis", ["", "zz" * 32, "ab" * 31, 7])
def test_a_genesis_hash_that_is_none(tmp_path: Path, genesis: object) -> None:
    changed: dict[str, Any] = json.loads(json.dumps(CONTENT))
    changed["channels"]["identity"]["genesis"] = genesis
    write(tmp_path, json.dumps(changed))
    with pytest.raises(ProfileError, match=r"connection\.json"):
        Profile.load(tmp_path)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(CONTENT))
    profile = Profile.load(tmp_path)
    with pytest.raises(ProfileError, match="no organization NobodyMSP; it has AssociationMSP"):
        profile.org("NobodyMSP")
    with pytest.raises(ProfileError, match="no channel other; it has identity, "):
        profile.channel("other")
    with pytest.raises(ProfileError, match="no arbitration channel of InstitutionBMSP"):
        profile.arbitration_channel("InstitutionBMSP")
    with pytest.raises(ProfileError, match=r"association has no relay among its identities \(admin\)"):
        profile.org("AssociationMSP").identity("relay")
