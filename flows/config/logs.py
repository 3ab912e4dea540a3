"""How processes of ours log: from which level on, and as text for people or as JSON for machines, a line each."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["text", "json"]

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_JSON = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up(level: Level, form: Form) -> None:
    """Everything that this process logs goes to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    if form == "json":
        from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415  # only where it is wanted

        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        handler.setFormatter(JsonFormatter(_JSON, rename_fields=names, json_ensure_ascii=False))
    else:
        handler.setFormatter(logging.Formatter(_TEXT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def prefect(level: Level, form: Form) -> Mapping[str, str]:
    """The same for Prefect's processes, as their environment says it. A run's log in the UI begins at the level `info`
    or below: what runs say to operators is theirs to read.

    https://docs.prefect.io/v3/how-to-guides/workflows/add-logging
    """
    made = {"PREFECT_LOGGING_LEVEL": "DEBUG" if level == "debug" else "INFO"}
    if form == "json":
        made["PREFECT_LOGGING_HANDLERS_CONSOLE_CLASS"] = "logging.StreamHandler"
        made["PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER"] = "json"
    return made


RUNS = ("prefect.flow_runs", "prefect.task_runs", "prefect.engine")
"""The loggers in which Prefect tells how its runs end."""


class _InWords(logging.Filter):
    def __init__(self, expected: tuple[type[BaseException], ...]) -> None:
        super().__init__()
        self.expected = expected

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], self.expected):
            record.exc_info = record.exc_text = None
        return True


def in_words(*expected: type[BaseException]) -> None:
    """What is `expected` to end a run stands in its log as its sentence, as on the command line: where in our code it
    was raised helps no operator. What nobody foresaw keeps its traceback."""
    for name in RUNS:
        logging.getLogger(name).addFilter(_InWords(expected))
