"""What is not what it should be stays bytes; the rest is held to Fabric's own tool on a real network."""

from __future__ import annotations

import base64

from auditor import protobuf as pb
from auditor.decoded import brief, decoded, decoded_policy, decoded_value


def test_bytes_in_bytes_are_opened() -> None:
    header = pb.common.ChannelHeader(type=pb.common.CONFIG_UPDATE, channel_id="identity")
    payload = pb.common.Payload(data=b"\xff")
    payload.header.channel_header = header.SerializeToString()
    envelope = pb.common.Envelope(payload=payload.SerializeToString(), signature=b"s")
    found = decoded(envelope)
    assert found["payload"]["header"]["channel_header"]["channel_id"] == "identity"
    # An update it should be and is not.
    assert found["payload"]["data"] == base64.b64encode(b"\xff").decode()
    assert found["signature"] == base64.b64encode(b"s").decode()


def test_one_bad_element_leaves_all_of_them_bytes() -> None:
    good = pb.common.Envelope(signature=b"s").SerializeToString()
    assert decoded(pb.common.BlockData(data=[good, b"\xff"]))["data"] == [
        base64.b64encode(one).decode() for one in (good, b"\xff")
    ]


def test_values_and_policies_by_name() -> None:
    timeout = pb.orderer_configuration.BatchTimeout(timeout="2s").SerializeToString()
    assert decoded_value("BatchTimeout", timeout) == {"timeout": "2s"}
    assert decoded_value("Unheard", timeout) == timeout.hex()
    assert decoded_value("BatchTimeout", b"\xff") == "ff"
    meta = pb.policies.ImplicitMetaPolicy(sub_policy="Readers").SerializeToString()
    policy = pb.policies.Policy(type=pb.policies.Policy.IMPLICIT_META, value=meta)
    assert decoded_policy(policy.SerializeToString()) == {
        "type": 3,
        "value": {"rule": "ANY", "sub_policy": "Readers"},
    }
    assert decoded_policy(b"\xff") == "ff"


def test_a_long_value_is_cut_for_a_sentence() -> None:
    assert brief({"b": 1, "a": "中"}) == '{"a":"中","b":1}'
    assert brief("x" * 100, limit=10) == '"xxxxxxxxx… (102 characters)'
