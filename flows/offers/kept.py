"""What an operator changed in Prefect's UI stays, also when the deployments are registered anew; what they deleted
stays away.

A file in the home folder holds what we said last of each deployment: what stands there otherwise is the operator's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.storage.private_files import write_whole

FIELDS = ("description", "tags", "parameters", "concurrency_limit")
"""What an operator may change besides the schedules. A form's fields and choices are ours."""

Values = Mapping[str, Any]


class KeptOffers:
    """What we said last of the deployments of one Prefect server, by their names."""

    def __init__(self, file: Path, server: str) -> None:
        self._file, self._server = file, server
        self._all: dict[str, dict[str, dict[str, Any]]] = json.loads(file.read_text()) if file.exists() else {}
        self._said = self._all.setdefault(server, {})

    @property
    def names(self) -> list[str]:
        return sorted(self._said)

    def deleted(self, name: str, present: Values | None, *, fresh: bool) -> bool:
        """Whether a deployment was there and its operator took it away. `fresh`: the server has none of ours, and so
        forgot them itself."""
        return present is None and name in self._said and not fresh

    def value(self, name: str, field: str, ours: Any, present: Values | None) -> Any:
        """What a field is to be: what stands there where the operator changed it, else ours."""
        if present is None or name not in self._said or field not in present:
            return ours
        return ours if present[field] == self._said[name].get(field) else present[field]

    def say(self, name: str, ours: Values) -> None:
        self._said[name] = {field: ours[field] for field in FIELDS}

    def forget(self, name: str) -> None:
        self._said.pop(name, None)

    def save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, json.dumps(self._all, indent=1, sort_keys=True, default=str).encode())
