"""Real mail servers to bounce mail with, on loopback: Exim and Postfix, run with configurations of their own.

Each takes everything, as a relay does, brings what is for `example.org` into a maildir, and all else to one peer, a
mail server of the tests that refuses; what comes back is its own work.
"""

from __future__ import annotations

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

_EXIM = """
exim_path = {program}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
primary_hostname = relay.example.org
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
deliver_drop_privilege = true
message_size_limit = 50M
queue_run_max = 1
begin routers
here:
  driver = accept
  domains = example.org
  transport = maildir
there:
  driver = manualroute
  domains = !nowhere.example
  transport = peer
  route_list = * 127.0.0.1
  self = send
begin transports
maildir:
  driver = appendfile
  directory = {folder}/returns
  maildir_format
  create_directory = false
  user = {user}
  group = {group}
peer:
  driver = smtp
  port = {peer}
  hosts_avoid_pipelining = *
begin retry
"""

_POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{peer}
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:returns/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
recipient_delimiter = +
maximal_queue_lifetime = 0
bounce_queue_lifetime = 1d
smtp_tls_security_level = none
maillog_file = {folder}/log/mail
maillog_file_prefixes = {folder}
"""

_POSTFIX_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
"""


@dataclass(frozen=True, slots=True)
class Relay:
    """A running server: where it listens, and the maildir that it brings bounces to."""

    port: int
    returns: Path
    log: Path

    def arrived(self, number: int, patience: float = 60) -> list[bytes]:
        """The messages in the maildir, once there are so many."""
        end = time.monotonic() + patience
        while len(files := sorted((self.returns / "new").iterdir())) < number:
            if time.monotonic() > end:
                raise AssertionError(f"{len(files)} of {number} came:\n{self._told()}")
            time.sleep(0.1)
        return [file.read_bytes() for file in files]

    def _told(self) -> str:
        return "\n".join(file.read_text(errors="replace")[-3000:] for file in self.log.parent.iterdir())


def program(name: str) -> str | None:
    """Where a server's program is, for who may run it: they want the rights of root, and users of their own."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found if os.geteuid() == 0 else None


@contextmanager
def exim(port: int, peer: int) -> Iterator[Relay | None]:
    """Runs Exim; None where it is not there."""
    found = program("exim4")
    if found is None or subprocess.run([found, "-C", "/dev/null", "-bV"], capture_output=True, check=False).returncode:
        yield None
        return
    with _folder("exim", owner="Debian-exim") as folder:
        owner = pwd.getpwnam("Debian-exim")
        settings = {"program": found, "folder": folder, "port": port, "peer": peer}
        names = {"user": owner.pw_name, "group": owner.pw_gid}
        (folder / "exim.conf").write_text(_EXIM.format(**settings, **names))
        # Exim reads it again as its own user, whatever our umask
        (folder / "exim.conf").chmod(0o644)
        with _running([found, "-C", str(folder / "exim.conf"), "-bdf", "-q5s"], port, folder):
            yield Relay(port, folder / "returns", folder / "log" / "main")


@contextmanager
def postfix(port: int, peer: int) -> Iterator[Relay | None]:
    """Runs Postfix; None where it is not there."""
    found = program("postfix")
    if found is None:
        yield None
        return
    with _folder("postfix", owner="postfix") as folder:
        owner = pwd.getpwnam("postfix")
        for part in ("queue", "data", "etc"):
            (folder / part).mkdir()
            (folder / part).chmod(0o755)
        shutil.chown(folder / "data", "postfix")
        shutil.chown(folder / "queue", "root", "root")
        settings = {"folder": folder, "port": port, "peer": peer, "uid": owner.pw_uid, "gid": owner.pw_gid}
        (folder / "etc" / "main.cf").write_text(_POSTFIX_MAIN.format(**settings))
        (folder / "etc" / "master.cf").write_text(_POSTFIX_MASTER.format(**settings))
        for part in ("main.cf", "master.cf"):
            (folder / "etc" / part).chmod(0o644)
        command = [found, "-c", str(folder / "etc"), "start-fg"]
        with _running(command, port, folder, stop=[found, "-c", str(folder / "etc"), "stop"]):
            yield Relay(port, folder / "returns", folder / "log" / "mail")


@contextmanager
def _folder(name: str, owner: str) -> Iterator[Path]:
    # their sockets want a short path
    folder = Path(tempfile.mkdtemp(prefix=f"pr-{name}-"))
    folder.chmod(0o755)
    for part in ("returns", "returns/new", "returns/cur", "returns/tmp", "log", "spool"):
        (folder / part).mkdir()
        (folder / part).chmod(0o755)
        shutil.chown(folder / part, owner)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: list[str], port: int, folder: Path, stop: list[str] | None = None) -> Iterator[None]:
    with (folder / "log" / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            _wait_for(port, process, folder)
            yield
        finally:
            if stop:
                subprocess.run(stop, stdout=out, stderr=out, check=False)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    told = "\n".join(file.read_text(errors="replace") for file in (folder / "log").iterdir())
    raise AssertionError(f"{command_of(process)} did not start: {told}")


def command_of(process: subprocess.Popen[bytes]) -> str:
    return str(process.args)
