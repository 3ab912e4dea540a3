"""Text made fit for the wire: HTML in 7bit, quoted-printable text (RFC 2045), header values (RFC 2047, RFC 5322).

Pure.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from email.header import Header

SOFT = b"=\r\n"
"""A soft line break: the text goes on (RFC 2045 section 6.7, rule 5)."""

_UNPRINTED = re.compile(rb"[^\x20-\x3c\x3e-\x7e]|(?<= ) ")
_UNSAFE = re.compile(rb"[^\x20-\x3c\x3e-\x7e]|(?<= ) | \Z")
_LONGEST = 500
"""Of a line of HTML, where it can be broken: what is spliced in makes it longer, and 998 is the most (RFC 5321 section
4.5.3.1.6)."""
_STYLE = re.compile(r"(?<=>)[^<>]*(?=</style>)")
_REFERENCE = re.compile(r"&#?\w{1,8}\Z|&#?\Z")
"""One that begins and does not end."""
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")


def references(html: str) -> bytes:
    """HTML as plain ASCII, what is not as character references (in a style sheet as CSS escapes): fit for 7bit (RFC
    2045 section 2.7), CRLF line ends, and smaller than quoted-printable, which writes every "=" as three characters.

    No line begins with a dot or with "From ", none is longer than it need be, white space stands as single spaces
    within lines. What is spliced between two of such pieces needs no line break.
    """
    plain = html.replace("\r\n", "\n").replace("\r", "\n")
    if not plain.isascii():
        plain = _STYLE.sub(lambda found: _css(found[0]), plain)
        plain = plain.encode("ascii", "xmlcharrefreplace").decode("ascii")
    lines = (line if len(line) <= _LONGEST else _broken(line) for line in plain.split("\n"))
    return "\n".join(lines).replace("\n.", "\n .").replace("\nFrom ", "\n From ").replace("\n", "\r\n").encode("ascii")


def _css(text: str) -> str:
    return "".join(c if c.isascii() else f"\\{ord(c):x} " for c in text)


def _broken(line: str) -> str:
    """A long line of HTML in several: at spaces, which a line break equals, else by a comment, which nobody sees, but
    never within a tag or a reference."""
    lines, within = [], False
    while len(line) > _LONGEST:
        if (at := line.rfind(" ", 1, _LONGEST)) > 0:
            start, line = line[:at], line[at + 1 :]
        elif (at := _unspaced(line, within)) > 0:
            start, line = f"{line[:at]}<!--", f"-->{line[at:]}"
        else:
            break
        within = _within_a_tag(start, within) and not start.endswith("<!--")
        lines.append(start)
    return "\n".join((*lines, line))


def _unspaced(line: str, within: bool) -> int:
    """Where a line that has no space is broken; 0: nowhere."""
    start = line[:_LONGEST]
    if not _within_a_tag(start, within):
        return start.rfind("&") if _REFERENCE.search(start) else _LONGEST
    # after a tag; what ends the comment of the line before is none
    return line.find(">", len("-->")) + 1


def _within_a_tag(text: str, within: bool) -> bool:
    begun, ended = text.rfind("<"), text.rfind(">")
    return within if begun == ended else begun > ended


def quoted_printable(text: str, *, goes_on: bool = False) -> bytes:
    """`text` as UTF-8 in quoted-printable, from the start of a line; CRLF line ends, no line above 76 characters.

    No line begins with a dot, so that SMTP need stuff nothing (RFC 5321 section 4.5.2), nor with "From ". White space
    stands as single spaces within lines, so that a body is in DKIM's relaxed form as it is (RFC 6376 section 3.4.4).
    If the text `goes_on`, what follows starts a line of its own without a line break in the text.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode().split(b"\n")
    # White space at a line's end would be lost (rule 3); before a soft line break it is not at the end.
    bare = len(lines) - 1 if goes_on else len(lines)
    encoded = b"\r\n".join(
        SOFT.join(_short((_UNSAFE if i < bare else _UNPRINTED).sub(_hex, line))) for i, line in enumerate(lines)
    )
    return encoded + SOFT if goes_on and lines[-1] else encoded


def decoded(content: bytes) -> str:
    """The text that `quoted_printable` was given, with LF line ends."""
    return binascii.a2b_qp(content).decode().replace("\r\n", "\n")


def _hex(found: re.Match[bytes]) -> bytes:
    return b"=%02X" % found[0][0]


def _short(line: bytes) -> Iterator[bytes]:
    while True:
        if line.startswith((b".", b"From ")):
            line = b"=%02X" % line[0] + line[1:]
        if len(line) <= 75:
            yield line
            return
        cut = line.rfind(b"=", 73, 75)
        cut = 75 if cut < 0 else cut
        yield line[:cut]
        line = line[cut:]


def words(text: str) -> bytes:
    """Unstructured header text on lines of its own: as it is if it is short plain ASCII, else as encoded words.

    The first line leaves room for nothing else, the next ones begin with a space (RFC 2047 section 2).
    """
    if text.isascii() and text.isprintable() and len(text) <= 76 and "=?" not in text:
        return text.encode()
    return Header(text, "utf-8", maxlinelen=75).encode(linesep="\r\n").encode("ascii")


def phrase(text: str) -> bytes:
    """A name before an address or a list's identifier (RFC 5322 section 3.2.5)."""
    if not text.isascii() or not text.isprintable() or "=?" in text or len(text) > 76:
        return words(text)
    if _ATOMS.fullmatch(text):
        return text.encode()
    return b'"%s"' % re.sub(r'(["\\])', r"\\\1", text).encode()
