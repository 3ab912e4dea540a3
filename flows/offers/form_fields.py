"""The choices of a form, as its deployment's schema has them: Prefect's UI offers them, and its server refuses others.

https://docs.prefect.io/v3/advanced/form-building
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from prefect.deployments.runner import RunnerDeployment


def choices(deployment: RunnerDeployment, given: Mapping[str, list[str]]) -> RunnerDeployment:
    """The deployment, whose fields of these names take one of the values alone."""
    for model in deployment._parameter_openapi_schema.definitions.values():
        for name, values in given.items():
            if name in (fields := model.get("properties", {})):
                fields[name] = {**fields[name], "enum": list(values)}
    return deployment


def dates(deployment: RunnerDeployment, today: dt.date) -> RunnerDeployment:
    """The deployment, whose dates lie between arXiv's renumbering in 2007 and the end of this year; next year's first
    dates are let in with the year's last days. The words `today` and `yesterday` of earlier versions are taken too."""
    years = _years(2007, (today + dt.timedelta(days=2)).year)
    for model in deployment._parameter_openapi_schema.definitions.values():
        for fields in model.get("properties", {}).values():
            if fields.get("format") == "date":
                fields["pattern"] = rf"^(|today|yesterday|({years})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))$"
    return deployment


def _years(first: int, last: int) -> str:
    """A pattern of these years, short enough to be read where a form says what does not fit."""
    decades: dict[int, list[int]] = {}
    for year in range(first, last + 1):
        decades.setdefault(year // 10, []).append(year % 10)
    return "|".join(rf"{decade}[{ends[0]}-{ends[-1]}]" for decade, ends in decades.items())
