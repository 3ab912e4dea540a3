"""A real IMAP server to test with: Dovecot, run as a plain process with a configuration of its own."""

from __future__ import annotations

import getpass
import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

USER = "returns@example.org"
PASSWORD = 'a "pass" wörd'

_CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
namespace inbox {{
  inbox = yes
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {secure_port}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class ImapServer:
    port: int
    secure_port: int
    log: Path

    def login(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return client

    def put(self, content: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """A message in the folder, named as IMAP writes it, which is made if need be."""
        client = self.login()
        name = f'"{folder}"'
        client.create(name)
        kind, answer = client.append(name, flags, "", content)
        assert kind == "OK", answer
        client.logout()

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """The flags of each message, the first one's first."""
        client = self.login()
        client.select(f'"{folder}"', readonly=True)
        _, found = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [
            {flag.decode() for flag in imaplib.ParseFlags(line) if flag != rb"\Recent"}
            for line in found
            if isinstance(line, bytes)
        ]


def available() -> bool:
    """Whether Dovecot is there, of the one line whose configuration this is."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return False
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return version.startswith("2.3.")


@contextmanager
def imap_server(certificate: bytes, ports: tuple[int, int]) -> Iterator[ImapServer]:
    """Runs it; everything of it is gone afterwards."""
    # it refuses to run with the rights of root, and looks for its sockets by a short path
    user = pwd.getpwnam("nobody" if os.geteuid() == 0 else getpass.getuser())
    folder = Path(tempfile.mkdtemp(prefix="pr-imap-"))
    for part in ("run", "mail"):
        (folder / part).mkdir()
    (folder / "server.pem").write_bytes(certificate)
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n")
    (folder / "dovecot.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            user=user.pw_name,
            group=grp.getgrgid(user.pw_gid).gr_name,
            port=ports[0],
            secure_port=ports[1],
        )
    )
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [program, "-F", "-c", folder / "dovecot.conf"],
            stdout=out,
            stderr=out,
            user=user.pw_uid if os.geteuid() == 0 else None,
            group=user.pw_gid if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
        )
        try:
            _wait_for(ports[0], process, folder)
            yield ImapServer(*ports, folder / "log")
        finally:
            process.terminate()
            process.wait(10)
            shutil.rmtree(folder)


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    log = folder / "log"
    raise AssertionError((folder / "out").read_text() + (log.read_text() if log.exists() else ""))
