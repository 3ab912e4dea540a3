"""What others reach with the same messages: a loop of smtplib that builds each message, and nodemailer's pool."""

from __future__ import annotations

import email.policy
import json
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

_POOL = """
const fs = require("fs"), nodemailer = require("nodemailer");
const [port, file] = process.argv.slice(1), messages = JSON.parse(fs.readFileSync(file));
const pool = nodemailer.createTransport({host: "127.0.0.1", port: Number(port), pool: true, maxConnections: 10,
  maxMessages: Infinity, secure: false, ignoreTLS: true});
const start = process.hrtime.bigint();
Promise.all(messages.map((one) => pool.sendMail(one))).then(() => {
  const spent = process.cpuUsage(), seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(JSON.stringify({seconds, cpu: (spent.user + spent.system) / 1e6}));
  pool.close();
});
"""


def smtplib_loop(port: int, messages: Sequence[bytes]) -> str:
    """One connection, a message built for each reader."""
    bodies = [_bodies(content) for content in messages]
    start, cpu = time.perf_counter(), time.process_time()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number, (text, html) in enumerate(bodies):
            message = EmailMessage()
            message["From"], message["To"] = "digest@example.org", f"reader{number}@example.org"
            message["Subject"] = "Paperround"
            message.set_content(text)
            message.add_alternative(html, subtype="html")
            server.send_message(message)
    return _line("smtplib, a loop", len(messages), time.perf_counter() - start, time.process_time() - cpu)


def nodemailer(port: int, messages: Sequence[bytes]) -> str:
    """Ten connections, a message built for each reader."""
    node = shutil.which("node")
    if (
        node is None
        or subprocess.run([node, "-e", "require('nodemailer')"], capture_output=True, check=False).returncode
    ):
        return "nodemailer: not found (`npm install nodemailer`, and NODE_PATH where it lies elsewhere)"
    made = []
    for number, content in enumerate(messages):
        text, html = _bodies(content)
        to = f"reader{number}@example.org"
        made.append({"from": "digest@example.org", "to": to, "subject": "Paperround", "text": text, "html": html})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "messages.json")
        file.write_text(json.dumps(made))
        done = subprocess.run(
            [node, "-e", _POOL, "--", str(port), str(file)], capture_output=True, check=True, text=True
        )
    spent = json.loads(done.stdout)
    return _line("nodemailer, pooled", len(messages), spent["seconds"], spent["cpu"])


def _bodies(content: bytes) -> tuple[str, str]:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    text, html = (str(part.get_content()) for part in parsed.iter_parts())
    return text, html


def _line(name: str, count: int, seconds: float, cpu: float) -> str:
    return f"{name}: {count / seconds:,.0f} a second, {cpu / count * 1e6:,.0f} µs a message"
