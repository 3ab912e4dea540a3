"""The mailbox that mail comes back to: thin edges around IMAP (RFC 3501) and a maildir.

A message is read until it is marked: `done`, what was understood and dealt with, is *seen*; `left`, what was not, stays
unseen for whoever looks next and is not offered again. Both marks stand in
the mailbox itself, so that nothing is lost or done twice when a process dies in between: the message comes again.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import imaplib
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from flows.outcomes import Problem, anonymous

T = TypeVar("T")

SETTING = "PAPERROUND_RETURNS_URL"
SIZE = 256 * 1024
"""Bytes of a message that are read: far more than headers and a report need."""
AT_ONCE = 20
"""Messages that are fetched at a time."""
WINDOW = 20_000
"""Messages that an IMAP server is asked about at a time: its answer is one line, which imaplib bounds."""
TIMEOUT = 60.0
LEFT = "$PaperroundSeen"
"""The keyword of messages that were not understood; where a mailbox keeps no keywords, they are flagged."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One message: how the mailbox knows it, and its first `SIZE` bytes."""

    key: str
    content: bytes


class Mailbox(Protocol):
    def unread(self) -> Iterator[Returned]:
        """What was there and unmarked when it was asked for."""

    def done(self, keys: Sequence[str]) -> None: ...

    def left(self, keys: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class OpenMailbox:
    """The mailbox that a URL names, to be entered: all its work is done in a thread. Raises Problem for a URL that
    can't be used, and when the server or the folder can't."""

    def __init__(self, url: str, patience: float = TIMEOUT) -> None:
        """`patience`: seconds that a server may take to answer."""
        self._url, self._patience = url, patience

    async def __aenter__(self) -> OpenMailbox:
        self._box: Mailbox = await self._do(opener(self._url, self._patience))
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._do(self._box.close)

    async def unread(self) -> AsyncIterator[Returned]:
        messages = self._box.unread()
        while (message := await self._do(next, messages, None)) is not None:
            yield message

    async def done(self, *keys: str) -> None:
        if keys:
            await self._do(self._box.done, keys)

    async def left(self, *keys: str) -> None:
        if keys:
            await self._do(self._box.left, keys)

    async def _do(self, work: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.to_thread(work, *arguments)
        except (imaplib.IMAP4.error, OSError, EOFError) as error:
            raise _explained(error, urlsplit(self._url)) from error


def opener(url: str, patience: float = TIMEOUT) -> Callable[[], Mailbox]:
    """What opens the mailbox; raises Problem for a URL that can't be used."""
    if not url:
        raise Problem(
            f"{SETTING} is not set: name the mailbox of PAPERROUND_RETURN_PATH, such as "
            "imaps://user:password@mail.example.org/INBOX, or a folder, such as maildir:///var/mail/returns."
        )
    try:
        parsed = urlsplit(url)
        port = parsed.port
    except ValueError:  # whose words may repeat the password
        raise Problem(f"{SETTING} is no URL: use one such as imaps://user:password@mail.example.org/INBOX.") from None
    match parsed.scheme:
        case "maildir":
            return _maildir(parsed)
        case "imap" | "imaps":
            return _imap(parsed, port or (993 if parsed.scheme == "imaps" else 143), patience)
        case scheme:
            # a URL may hold a password: no more of it is shown
            began = f"begins with {scheme[:20]!r}" if scheme else "names no scheme"
            raise Problem(f"{SETTING} {began}: use imaps://, imap:// or maildir://.")


def _explained(error: Exception, url: SplitResult) -> Problem:
    """What the network and the file system say, in a sentence that names the setting and no password."""
    where = unquote(url.path) if url.scheme == "maildir" else url.hostname
    if isinstance(error, ssl.SSLCertVerificationError):
        return Problem(
            f"The certificate of the mailbox server {where} is not trusted ({error.verify_message}): "
            f"check the host in {SETTING}, or name your own authority's file in SSL_CERT_FILE."
        )
    words = " ".join(anonymous(_words(error)).split())[:200]
    return Problem(f"The mailbox {where} can't be read ({words}): check {SETTING}.")


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said or type(error).__name__)


# --- a maildir


class _Maildir:
    """New mail lies in `new`. What was looked at goes to `cur`, where S in its name says that it was seen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unread(self) -> Iterator[Returned]:
        for file in sorted(self._folder.joinpath("new").iterdir()):
            # a link could lead anywhere
            if file.name.startswith(".") or file.is_symlink() or not file.is_file():
                continue
            with file.open("rb") as opened:
                yield Returned(file.name, opened.read(SIZE))

    def done(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._move(key, "S")

    def left(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._move(key, "")

    def _move(self, key: str, flags: str) -> None:
        name = key.partition(":")[0]
        # another process may have been faster
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "new" / key).rename(self._folder / "cur" / f"{name}:2,{flags}")

    def close(self) -> None:
        """Nothing stays open between two messages."""


def _maildir(url: SplitResult) -> Callable[[], Mailbox]:
    folder = Path(unquote(url.path))
    if url.netloc or not url.path.startswith("/") or url.query or url.fragment or "\0" in str(folder):
        raise Problem(f"{SETTING} should name a folder from the root, such as maildir:///var/mail/returns.")

    def open_it() -> Mailbox:
        if missing := [part for part in ("new", "cur") if not (folder / part).is_dir()]:
            raise Problem(f"{folder} is no maildir (it has no folder {missing[0]}): check {SETTING}.")
        return _Maildir(folder)

    return open_it


# --- IMAP


class _Imap:
    def __init__(self, client: imaplib.IMAP4, messages: int, mark: str) -> None:
        self._client = client
        self._messages = messages
        self._mark = mark

    def unread(self) -> Iterator[Returned]:
        unmarked = "UNFLAGGED" if self._mark.startswith("\\") else f"UNKEYWORD {self._mark}"
        for first in range(1, self._messages + 1, WINDOW):
            last = min(first + WINDOW - 1, self._messages)
            found = self._asked("SEARCH", f"{first}:{last}", "UNSEEN", unmarked)
            numbers = [number for line in found if isinstance(line, bytes) for number in line.decode("ascii").split()]
            for at in range(0, len(numbers), AT_ONCE):
                yield from self._fetched(numbers[at : at + AT_ONCE])

    def _fetched(self, numbers: Sequence[str]) -> Iterator[Returned]:
        answered = self._asked("FETCH", ",".join(numbers), f"(UID BODY.PEEK[]<0.{SIZE}>)")
        for at, part in enumerate(answered):
            if not isinstance(part, tuple):
                continue
            about, content = part
            # RFC 3501 leaves the order open: the number may follow the content
            after = answered[at + 1] if at + 1 < len(answered) else b""
            if number := _UID.search(about) or _UID.search(after if isinstance(after, bytes) else b""):
                yield Returned(number[1].decode("ascii"), content)

    def done(self, keys: Sequence[str]) -> None:
        self._asked("STORE", ",".join(keys), "+FLAGS.SILENT", r"(\Seen)")

    def left(self, keys: Sequence[str]) -> None:
        self._asked("STORE", ",".join(keys), "+FLAGS.SILENT", f"({self._mark})")

    def _asked(self, command: str, *arguments: str) -> Sequence[bytes | tuple[bytes, bytes] | None]:
        return _answer(self._client.uid(command, *arguments))

    def close(self) -> None:
        # the work is done or has failed with words of its own
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            self._client.logout()


_UID = re.compile(rb"UID (\d+)")


def _answer(answered: tuple[str, Sequence[T]]) -> Sequence[T]:
    kind, data = answered
    if kind != "OK":
        raise imaplib.IMAP4.error(data[0] if data else kind)
    return data


def _imap(url: SplitResult, port: int, patience: float) -> Callable[[], Mailbox]:
    host = url.hostname
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if not host or not user or any(ord(c) < 32 for c in user + password):
        raise Problem(
            f"{SETTING} should name a user and a host, such as imaps://user:password@mail.example.org/INBOX, "
            "special characters written as %40."
        )
    folder = unquote(url.path.removeprefix("/")) or "INBOX"
    near = host in ("localhost", "127.0.0.1", "::1")

    def open_it() -> Mailbox:
        client = _connected(host, port, patience, encrypted=url.scheme == "imaps", near=near)
        try:
            _log_in(client, user, password, f"{host}:{port}")
            try:
                (number, *_) = _answer(client.select(_quoted(utf7(folder))))
            except imaplib.IMAP4.error as error:
                raise Problem(
                    f"The mailbox server {host}:{port} opens no folder {folder[:60]!r} ({_words(error)[:100]}): "
                    f"check the end of {SETTING}."
                ) from error
            _, kept = client.response("PERMANENTFLAGS")
            any_keyword = any(rb"\*" in flags for flags in kept if flags)
            return _Imap(client, int(number or 0), LEFT if any_keyword else r"\Flagged")
        except BaseException:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.shutdown()
            raise

    return open_it


def _connected(host: str, port: int, patience: float, *, encrypted: bool, near: bool) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if encrypted:
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=patience)
    client = imaplib.IMAP4(host, port, timeout=patience)
    if "STARTTLS" in client.capabilities and not near:
        client.starttls(context)
    elif not near:
        client.shutdown()
        raise Problem(f"{SETTING} would send the password in clear: write imaps:// instead of imap://.")
    return client


def _log_in(client: imaplib.IMAP4, user: str, password: str, where: str) -> None:
    try:
        if "AUTH=PLAIN" in client.capabilities:
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        else:
            client.login(_quoted(user), password)
    except imaplib.IMAP4.error as error:
        raise Problem(
            f"The mailbox server {where} refuses the login ({anonymous(_words(error))[:100]}): "
            f"check the user and the password of {SETTING}."
        ) from None
    except UnicodeEncodeError:
        raise Problem(
            f"The mailbox server {where} takes a user and a password in plain ASCII alone: check {SETTING}."
        ) from None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def utf7(folder: str) -> str:
    """A folder's name as IMAP writes it (RFC 3501 section 5.1.3)."""

    def encoded(found: re.Match[str]) -> str:
        return "&" + base64.b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    return re.sub(r"[^\x20-\x7e]+", encoded, folder.replace("&", "&-"))
