"""What an operator changed or deleted in Prefect's UI stays so, as long as it is theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.offers.kept import KeptOffers

SERVER = "http://127.0.0.1:4200/api"


def ours(**more: Any) -> dict[str, Any]:
    return {"description": "ours", "tags": ["paperround"], "parameters": {}, "concurrency_limit": 1, **more}


def test_a_value_stays_the_operators_where_they_changed_it_and_is_ours_elsewhere(tmp_path: Path) -> None:
    kept = KeptOffers(tmp_path / "offers.json", SERVER)
    kept.say("daily", ours())
    assert kept.value("daily", "description", "newer", {"description": "ours"}) == "newer"
    assert kept.value("daily", "description", "newer", {"description": "theirs"}) == "theirs"
    assert kept.value("daily", "description", "newer", None) == "newer"
    assert kept.value("daily", "description", "newer", {"tags": []}) == "newer"
    assert kept.value("unknown", "description", "newer", {"description": "whose"}) == "newer"


def test_what_is_gone_was_deleted_unless_the_server_is_a_fresh_one(tmp_path: Path) -> None:
    kept = KeptOffers(tmp_path / "offers.json", SERVER)
    kept.say("daily", ours())
    assert kept.deleted("daily", None, fresh=False)
    assert not kept.deleted("daily", None, fresh=True)
    assert not kept.deleted("daily", {}, fresh=False)
    assert not kept.deleted("weekly", None, fresh=False)
    kept.forget("daily")
    assert not kept.deleted("daily", None, fresh=False)


def test_what_was_said_is_known_later_by_each_server_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "home" / "offers.json"
    kept = KeptOffers(file, SERVER)
    kept.say("weekly", ours())
    kept.say("daily", ours(more="not an operator's"))
    kept.save()
    assert KeptOffers(file, SERVER).names == ["daily", "weekly"]
    assert KeptOffers(file, "http://other.example/api").names == []
    assert "more" not in file.read_text()
