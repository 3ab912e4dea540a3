"""Processes log as they are told to: from a level on, as text or as an object a line."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import logging, sys
from flows.config.logs import set_up
set_up(sys.argv[1], sys.argv[2])
log = logging.getLogger("flows.trial")
log.debug("deep")
log.info("well, %s", "Zürich")
try:
    raise ValueError("bad")
except ValueError:
    log.exception("it failed")
"""


def said(level: str, form: str) -> str:
    command = [sys.executable, "-c", CODE, level, form]
    return subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stderr


def test_text_begins_at_the_level() -> None:
    assert "deep" in said("debug", "text")
    lines = said("info", "text").splitlines()
    assert lines[0].endswith("INFO    flows.trial: well, Zürich")
    assert lines[-1] == "ValueError: bad"
    assert said("error", "text").splitlines()[0].endswith("ERROR   flows.trial: it failed")


def test_json_is_an_object_a_line() -> None:
    first, second = map(json.loads, said("info", "json").splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("INFO", "flows.trial", "well, Zürich")
    assert "time" in first
    assert "ValueError: bad" in second["exc_info"]
