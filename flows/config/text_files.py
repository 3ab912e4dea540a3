"""The text of a file that a person wrote with whatever editor they have."""

from __future__ import annotations

import codecs
from pathlib import Path

from flows.outcomes import Problem

_SIXTEEN = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(file: Path) -> str:
    """The text in UTF-8, with a mark before it or without; or UTF-16, which editors on Windows call "Unicode", known by
    its mark. Raises Problem, with the line, for bytes that are neither, and for a file that can't be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Problem(f"{file}: the file can't be read ({error.strerror}); check its permissions.") from error
    encoding = "utf-16" if content.startswith(_SIXTEEN) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Problem(f"{file}: line {line} is not UTF-8 ({error.reason}); save the file in that encoding.") from error
    if "\0" in text:
        raise Problem(f"{file}: it has zero bytes, as UTF-16 without its mark has; save the file as UTF-8.")
    return text
