"""Prefect's server behind doors of ours: a login, its own origin alone, and the names that it is asked for by.

Whoever reaches the server's API runs code as its user, and a page from elsewhere in an operator's browser can reach it.
Prefect asks for the login; the Host is looked at here, before the server sees the request: a name of somebody else's
that leads to this machine would make their page one of our own origin.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from flows.config import logs
from flows.config.settings import Settings, load_settings
from flows.storage.database import DECODES

NAMES = ("127.0.0.1", "localhost")
ADDRESS = "address"
"""The file in Prefect's folder that says where the API is: for whoever asks later."""
_CONFIGURATION = ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH")
"""What would lead Prefect to the user's own settings."""


def folder_of(settings: Settings) -> Path:
    """Where Prefect's processes work, and keep their data: nothing of the user's stands there."""
    return settings.home_dir / "prefect"


def address(settings: Settings) -> str:
    """Where the UI of the Prefect server is that was started or joined last; empty if none ever was."""
    return settings.prefect_url or api_of(settings).removesuffix("/api")


def api_of(settings: Settings) -> str:
    """Where its API is."""
    file = folder_of(settings) / ADDRESS
    return file.read_text() if file.exists() else ""


def prefect_environment(
    settings: Settings, api: str, given: Mapping[str, str], *, joined: bool = False
) -> dict[str, str]:
    """The environment of all processes that `up` and `demo` start, made of the `given` one.

    Prefect has a home of our own, so that the user's profile is left alone; a folder for temporary files of our own,
    since its runner's would be shared with all users of the machine and belongs to the first; nothing is reported to
    anybody. The login is the installation's; a server that is `joined` has its own, which stands in what is given.
    """
    home = folder_of(settings)
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    made = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "1",
        # runs of editions are kept for a while; those that come all day long `upkeep` forgets sooner
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs,orphans",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(settings.keep_edition_runs * 86_400),
        **logs.prefect(settings.log_level, settings.log_format),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # what the watchdog, and automations, know a living run by
        **given,
        **settings.environment(),
        "TMPDIR": str(temporary),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api,
        "PYTHONSAFEPATH": "1",  # as `-P`, for what Prefect starts in its turn
    }
    _absolute_path(made)
    if "?" in str(home) and not joined:
        # Prefect would take what follows it for options of its database, and keep that in another folder
        place = quote(str(home / "prefect.db"))
        kept = f"sqlite+aiosqlite:///file:{quote(place) if DECODES else place}?uri=true"
        made.setdefault("PREFECT_SERVER_DATABASE_CONNECTION_URL", kept)
    if not joined:
        made["PREFECT_API_AUTH_STRING"] = made["PREFECT_SERVER_API_AUTH_STRING"] = settings.login
        made["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] = ",".join(_origins(settings, urlsplit(api).port or 80))
        made["PREFECT_UI_API_URL"] = "/api"  # under whatever name the UI was opened
    return {name: value for name, value in made.items() if name not in _CONFIGURATION}


def _absolute_path(environment: MutableMapping[str, str]) -> None:
    """What PYTHONPATH names is found from another folder too."""
    if path := environment.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in path.split(os.pathsep) if part)


def _origins(settings: Settings, port: int) -> list[str]:
    own = [f"http://{name}:{port}" for name in NAMES]
    if settings.prefect_url:
        there = urlsplit(settings.prefect_url)
        own.append(f"{there.scheme}://{there.netloc}")
    return own


def serve_prefect(port: int) -> None:
    """Prefect's server, on this machine alone, until it is stopped."""
    from prefect.server.api.server import create_app  # noqa: PLC0415 - it takes seconds

    public = urlsplit(load_settings().prefect_url or "").hostname
    names = [*NAMES, *([public] if public else [])]
    uvicorn.run(
        TrustedHostMiddleware(create_app(final=True), allowed_hosts=names, www_redirect=False),
        host="127.0.0.1",
        port=port,
        log_level="warning",
    )
