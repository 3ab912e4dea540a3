"""Behind a real nginx, and a real Caddy, with the configurations of the README."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from flows.config.settings import Settings
from tests.conftest import free_port
from tests.running_processes import until_it_answers, web_process

NGINX = Path("/usr/sbin/nginx")
README = Path(__file__).parents[3] / "flows" / "README.md"


Proxy = Callable[[Path, str], AbstractContextManager[int]]


def nginx(folder: Path, site: str) -> AbstractContextManager[int]:
    """nginx as the README has it, without TLS and on ports of the test's own."""
    (block,) = re.findall(r"```nginx\n(.*?)```", README.read_text(), re.DOTALL)
    port = free_port()
    block = re.sub(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", block)
    block = re.sub(r" *ssl_certificate.*\n", "", block).replace("http://127.0.0.1:8180", site)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off; events {{}} http {{ {temporary} {block} }}"
    )
    return running([NGINX, "-c", folder / "nginx.conf", "-p", folder], port, folder)


def caddy(folder: Path, site: str) -> AbstractContextManager[int]:
    """Caddy as the README has it, likewise."""
    (block,) = re.findall(r"^papers\.example\.org \{\n.*?^\}\n", README.read_text(), re.DOTALL | re.MULTILINE)
    port = free_port()
    name = f"http://papers.example.org:{port}"
    block = block.replace("papers.example.org", name).replace("127.0.0.1:8180", site.removeprefix("http://"))
    (folder / "Caddyfile").write_text(f"{{\n    admin off\n    storage file_system {folder}\n}}\n{block}")
    return running(["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], port, folder)


@contextmanager
def running(command: Sequence[str | Path], port: int, folder: Path) -> Iterator[int]:
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, "HOME": str(folder)})
    try:
        logs = [folder / "said", folder / "error.log"]
        until_it_answers(process, port, lambda: "".join(file.read_text() for file in logs if file.exists()))
        yield port
    finally:
        process.terminate()
        process.wait(15)


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(nginx, marks=pytest.mark.skipif(not NGINX.exists(), reason="no nginx on this machine")),
        pytest.param(caddy, marks=pytest.mark.skipif(not shutil.which("caddy"), reason="no Caddy on this machine")),
    ],
)
def test_a_visitor_behind_a_proxy_is_who_they_are_whatever_they_claim(tmp_path: Path, proxy: Proxy) -> None:
    folder = tmp_path / "proxy"
    folder.mkdir()
    with web_process(tmp_path, public_url="https://papers.example.org") as site, proxy(folder, site) as port:

        def asked(number: int, source: str) -> httpx.Response:
            by = httpx.HTTPTransport(local_address=source)
            with httpx.Client(transport=by, headers={"Host": "papers.example.org"}) as client:
                return client.post(
                    f"http://127.0.0.1:{port}/subscribe",
                    data={"address": f"reader{number}@example.org", "newsletter": "daily"},
                    headers={"X-Forwarded-For": f"198.51.{number}.1", "Forwarded": f"for=198.51.{number}.1"},
                    timeout=30,
                )

        answers = [asked(number, "127.0.0.2").status_code for number in range(12)]
        assert answers == [303] * 10 + [429] * 2
        # 127.0.1.0/24 is another network
        assert asked(20, "127.0.1.2").status_code == 303
        page = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "papers.example.org"}, trust_env=False)
        assert (page.status_code, "<form" in page.text) == (200, True)


@pytest.mark.parametrize("url", ["https://example.org/papers", "https://example.org/a/b/", "https://example.org?x=1"])
def test_a_public_address_with_a_path_is_refused(url: str) -> None:
    """Pages and forms are at the root, and a link in a mail would lead past them."""
    with pytest.raises(ValidationError, match=r"a domain alone, without a path|'\?' in its host: take it away"):
        Settings(_env_file=None, public_url=url)
    assert Settings(_env_file=None, public_url="https://example.org/").public_url == "https://example.org"
