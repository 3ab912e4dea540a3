"""A folder in which somebody has things of their own that are named as ours, or as Prefect's settings."""

from __future__ import annotations

import os
from pathlib import Path

from tests.conftest import free_port

PASSWORD = "a-canary-for-a-password"


def hostile_folder(folder: Path) -> Path:
    """Makes the folder: a package `flows` that ends whoever imports it, and settings that would lead Prefect to the
    user's own database."""
    (folder / "flows").mkdir(parents=True)
    (folder / "flows" / "__init__.py").write_text("raise SystemExit('the user’s own')\n")
    (folder / "sitecustomize.py").write_text("raise SystemExit('the user’s own')\n")
    database = f"sqlite+aiosqlite:///{folder / 'users-own.db'}"
    (folder / "prefect.toml").write_text(f'[server.database]\nconnection_url = "{database}"\n')
    (folder / "pyproject.toml").write_text('[tool.prefect]\nprofiles_path = "profiles.toml"\n')
    (folder / "profiles.toml").write_text(
        'active = "own"\n[profiles.own]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n'
    )
    (folder / ".env").write_text(
        f"PREFECT_API_DATABASE_CONNECTION_URL={database}\nPREFECT_API_AUTH_STRING=of:another\n"
        f"PREFECT_SERVER_API_AUTH_STRING=of:another\nPAPERROUND_SUMMARY_KEY={PASSWORD}\n"
        "PAPERROUND_POSTAL_ADDRESS=1 Example Street, Sampletown\n"
    )
    return folder


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of somebody who works there: a proxy that answers nothing, a Prefect profile of their own; ours
    is found by absolute paths alone."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PAPERROUND_"))}
    proxy = f"http://127.0.0.1:{free_port()}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    without = {name: value for name, value in given.items() if name.lower() != "no_proxy"}
    root = str(Path(__file__).resolve().parents[2])
    return (
        without
        | dict.fromkeys(names, proxy)
        | {"HOME": str(folder), "PREFECT_PROFILE": "the-users-own", "PYTHONPATH": root}
    )


def unchanged(folder: Path) -> bool:
    """Whether nothing was made in it."""
    return sorted(one.name for one in folder.iterdir() if one.name != ".cache") == sorted(
        [".env", "flows", "prefect.toml", "profiles.toml", "pyproject.toml", "sitecustomize.py"]
    )
