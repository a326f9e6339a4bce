from __future__ import annotations

from biometrics.reasons import LANGUAGES, Reason, advice_table


def test_every_reason_has_advice_in_every_language_and_nothing_else_has() -> None:
    table = advice_table()
    assert set(table) == {reason.value for reason in Reason}
    for sentences in table.values():
        assert set(sentences) == set(LANGUAGES)
        assert sentences["en"].endswith(".")
        assert sentences["zh-CN"].endswith("。")
