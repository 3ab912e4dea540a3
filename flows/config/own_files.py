"""Whether what is installed as Paperround is Paperround's: its packages have names that others may have."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

NAME = "paperround"
PACKAGES = ("flows", "subscribers")
_REMEDY = (
    "Install Paperround in an environment of its own, with `uv tool install paperround` or `pipx install paperround`"
)


def foreign() -> str:
    """One sentence with the remedy if another distribution claims one of our names, or a file of ours is not as it was
    installed; else empty. Of a checkout that is installed in place only the names are looked at."""
    for other, package in _claims():
        return f"{other} is installed in the same environment and brings a package {package} too. {_REMEDY}."
    try:
        ours = distribution(NAME)
    except PackageNotFoundError:
        return ""  # run from a checkout
    for file in _altered(ours):
        return f"{file} is not Paperround's any more: another package may have put its own there. {_REMEDY}."
    return ""


def _claims() -> Iterator[tuple[str, str]]:
    for other in distributions():
        name = other.metadata["Name"] or ""
        if name.lower() == NAME:
            continue
        # reading lines is enough, and much faster than making a path of each
        listed = "\n" + (other.read_text("RECORD") or other.read_text("installed-files.txt") or "")
        for package in PACKAGES:
            if f"\n{package}/" in listed or f"\n{package}.py," in listed:
                yield name, package


def _altered(ours: Distribution) -> Iterator[Path]:
    """The modules whose content is not what the wheel brought (PEP 376, RECORD)."""
    for file in ours.files or ():
        if file.hash is None or file.parts[0] not in PACKAGES or file.suffix != ".py":
            continue
        place = Path(str(file.locate()))
        digest = hashlib.new(file.hash.mode, place.read_bytes() if place.is_file() else b"").digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
            yield place
