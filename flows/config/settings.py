"""The environment, read once: variables that begin with PAPERROUND_, also from a file `.env` in the working folder."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

from dotenv import dotenv_values
from platformdirs import user_cache_path, user_data_path
from pydantic import Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.config import from_prefect
from flows.config.from_address import read_address, read_sender
from flows.config.logs import Form, Level
from flows.config.url_signs import fault
from flows.outcomes import Problem
from flows.sending.limits import Limit, read_limits, read_rate, read_warm_up
from flows.turns import WarmUp

Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]


class Settings(BaseSettings):
    """What an operator can set. Each field's description is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix="PAPERROUND_",
        env_file=".env",
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    _in_the_environment: dict[str, str] | None = PrivateAttr(None)
    """What `environment` gives, where these settings are not its own alone."""

    home_dir: Path = Field(
        default_factory=lambda: user_data_path("paperround"), description="Where the database and keys lie"
    )
    cache_dir: Path = Field(
        default_factory=lambda: user_cache_path("paperround"),
        description="Answers of the sources, and the lock that keeps arXiv's pace over all processes of the machine",
    )
    database_url: str = Field(
        "",
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; a file in HOME_DIR by default",
    )
    mail_url: SecretStr = Field(
        SecretStr(""),
        description="smtp://, smtps:// or smtp+starttls://USER:PASSWORD@HOST:PORT, or maildir:///FOLDER",
    )
    mail_connections: int = Field(4, ge=1, le=100, description="Connections to the mail server at a time")
    mail_rate: str = Field(
        "",
        description="How much mail may leave, over all processes and machines that share the database: messages a "
        "second, and in rolling windows, such as `14/s, 50000/day`; a number alone is that of a second",
    )
    mail_limits: str = Field(
        "",
        description="Limits of single domains, such as `gmail.com = 20/s, 5 connections, 2000/hour`, several joined by "
        "`;`",
    )
    mail_warm_up: str = Field(
        "",
        description="What a new sender begins with and how it grows, such as `200/day x1.5`, for all mail together and "
        "for each large domain; it does not grow after a day on which more than 3 % were put off",
    )
    mail_back_off: str = Field(
        "1, 5, 15, 60, 120",
        description="Minutes until what a mail server put off is tried again, after each attempt; the last repeats",
    )
    mail_give_up: float = Field(
        24, gt=0, le=240, allow_inf_nan=False, description="Hours after its first attempt that a mail is given up"
    )
    mail_uncertain: Literal["resend", "hold"] = Field(
        "resend",
        description="A mail whose reply was lost: `resend` it under the same Message-ID, or `hold` it for the operator",
    )
    mail_wait: float = Field(
        120,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="Seconds that a delivery waits for a mail server that is away",
    )
    mail_refusals: int = Field(
        5,
        ge=0,
        le=100,
        description="After so many editions in a row that were refused for a reader, the address is mailed no more; 0: "
        "it is asked for every time",
    )
    mail_processes: int = Field(
        0, ge=0, le=64, description="Processes that deliver a large list; 0: as many as it needs and there are cores"
    )
    work_pool: str = Field(
        "",
        max_length=200,
        description="The work pool of Prefect's on which shares of large deliveries run, by its deployment "
        "`deliver-share/NAME`; none: a delivery stays on its machine. A newsletter's file may name another",
    )
    mail_shares: int = Field(8, ge=0, le=100, description="Shares that a delivery asks for at most, as far as they pay")
    web_processes: int = Field(1, ge=1, le=64, description="Processes of the web app that serve one port together")
    sender: str = Field("Paperround <paperround@localhost>", description="The From of every mail")
    return_path: str = Field("", description="Where bounces go; SENDER's address by default")
    pause_above: str = Field(
        "complaints 0.1 %, hard bounces 5 %",
        description="Pauses a newsletter of whose mails of seven days more came back than this; `never`: no bound",
    )
    hooks: SecretStr = Field(
        SecretStr(""),
        description="Providers that report to PUBLIC_URL/hooks/PROVIDER, each with its secret: `postmark = "
        "user:password; mailgun = KEY` (ses, postmark, mailgun, sendgrid, brevo)",
    )
    verp: bool = Field(
        False,
        description="Gives every mail a return address of its own, RETURN_PATH with +TOKEN before the @, so that each "
        "bounce tells which mail it is about: for a domain that takes such addresses (`paperround doctor` tries it)",
    )
    alert_url: SecretStr = Field(
        SecretStr(""), description='The webhook that is told what is wrong: a POST of {"text": …}, as Slack takes it'
    )
    alert_block: str = Field(
        "", description="Or the Prefect Block that is told, its type and name such as `slack-webhook/operators`"
    )
    events_url: SecretStr = Field(SecretStr(""), description="The webhook that is told of every event, signed")
    events_key: SecretStr = Field(SecretStr(""), description="The key that signs what goes to EVENTS_URL")
    operator_address: str = Field(
        "",
        description="Who is mailed an edition before its readers get it, and by `paperround send-test`: you",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Lets a scraper read /metrics, as `Authorization: Bearer TOKEN`; none by default"
    )
    log_level: Level = Field("warning", description="What the web app logs: debug, info, warning or error, and worse")
    log_format: Form = Field("text", description="Logs as text, or as json, an object a line")
    postal_address: str = Field("", description="The sender's postal address, for the foot of every mail")
    public_url: Url = Field("http://127.0.0.1:8180", description="Where readers reach the web app")
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs the readers' links: comma-separated, newest first; made once in HOME_DIR by default",
    )
    suppression_key: SecretStr = Field(
        SecretStr(""),
        description="Hashes the addresses that are never mailed again; made once in HOME_DIR by default. Keep it with "
        "your backups and never change it: they would be forgotten",
    )
    operator_login: SecretStr = Field(
        SecretStr(""),
        description="Opens Prefect's UI and the operator's pages of the web app; made once in HOME_DIR by default",
    )
    prefect_url: Url | None = Field(
        None, description="Where operators reach Prefect's UI from elsewhere, behind a proxy of yours; none by default"
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses and networks, joined by commas, whose X-Forwarded-For and -Proto are believed; `none`: "
        "nobody's",
    )
    returns_url: SecretStr = Field(
        SecretStr(""),
        description="The mailbox of RETURN_PATH, read for what comes back: imaps://USER:PASSWORD@HOST/FOLDER, imap://, "
        "or maildir:///FOLDER",
    )
    dkim_key: str = Field(
        "",
        description="Files with the private keys that sign mail, joined by commas (`paperround dkim new` makes one); "
        "none where your relay signs",
    )
    dkim_selector: str = Field("", description="The selector of each key, joined by commas")
    dkim_domain: str = Field("", description="The domain that signs; SENDER's by default")
    huggingface_url: Url = Field("https://huggingface.co", description="Hugging Face")
    keep_runs: int = Field(
        14, ge=1, le=3650, description="Days that Prefect's runs are kept which come all day long, their logs too"
    )
    keep_edition_runs: int = Field(365, ge=1, le=3650, description="Days that Prefect's other runs are kept")
    source_deadline: float = Field(
        100, ge=1, le=600, description="Seconds after which a source that is not done with a day is given up for now"
    )
    arxiv_url: Url = Field("https://export.arxiv.org/api/query", description="arXiv's query API")
    arxiv_rss_url: Url = Field("https://rss.arxiv.org/rss", description="arXiv's RSS")
    arxiv_interval: float = Field(
        3, ge=0, le=600, allow_inf_nan=False, description="Seconds between two requests to arXiv"
    )
    summary_url: Url | None = Field(
        None,
        description="A service that speaks OpenAI's chat completions, up to /chat/completions: it writes a sentence "
        "for each paper that has no summary; none by default",
    )
    summary_key: SecretStr = Field(SecretStr(""), description="Its key")
    summary_model: str = Field("", validate_default=True, max_length=200, description="Its model")
    summary_limit: int = Field(60, ge=0, le=10_000, description="For so many papers a day it is asked at most")
    keep_leavers: int = Field(
        30, ge=1, le=36_500, description="Days after which of those who have left a keyed hash is all that is kept"
    )
    keep_deliveries: int = Field(
        365, ge=30, le=36_500, description="Days after which an edition's deliveries lose their names"
    )
    keep_letters: int = Field(30, ge=7, le=36_500, description="Days that it is kept which letters a reader got")
    keep_logs: int = Field(30, ge=1, le=36_500, description="Days that a log is kept")
    newsletters_dir: Path | None = Field(None, description="Your own newsletters; they come before the shipped ones")
    topics_dir: Path | None = Field(None, description="Your own topics; they come before the shipped ones")
    templates_dir: Path | None = Field(None, description="Your own templates; they come before the shipped ones")

    @field_validator("sender")
    @classmethod
    def _sender_has_an_address(cls, value: str) -> str:
        return read_sender(value)

    @field_validator("return_path")
    @classmethod
    def _return_path_is_an_address(cls, value: str) -> str:
        if value and any(c in value for c in " <>"):
            raise ValueError("should be an address alone, such as bounces@example.org")
        return value and read_address(value)

    @field_validator("mail_rate", mode="before")
    @classmethod
    def _rate(cls, value: object) -> str:
        read_rate(str(value))
        return str(value)

    @field_validator("verp")
    @classmethod
    def _room_for_a_token(cls, value: bool, others: ValidationInfo) -> bool:
        address = others.data.get("return_path") or parseaddr(others.data.get("sender", ""))[1]
        if value and len(address.rpartition("@")[0]) > 23:
            raise ValueError("needs a RETURN_PATH of at most 23 characters before the @: a token follows them")
        return value

    @field_validator("operator_address")
    @classmethod
    def _an_address_alone(cls, value: str) -> str:
        return read_address(value.strip()) if value.strip() else ""

    @field_validator("mail_limits")
    @classmethod
    def _limits(cls, value: str) -> str:
        read_limits(value)
        return value

    @field_validator("mail_warm_up")
    @classmethod
    def _warm_up(cls, value: str) -> str:
        read_warm_up(value)
        return value

    @field_validator("pause_above")
    @classmethod
    def _bounds(cls, value: str) -> str:
        _read_bounds(value)
        return value

    @field_validator("mail_back_off")
    @classmethod
    def _minutes(cls, value: str) -> str:
        _back_off(value)
        return value

    @field_validator("summary_model")
    @classmethod
    def _a_model_where_there_is_a_service(cls, value: str, others: ValidationInfo) -> str:
        if others.data.get("summary_url") and not value:
            raise ValueError("should name the model that SUMMARY_URL's service is to use")
        return value

    @field_validator("summary_key")
    @classmethod
    def _fit_for_a_header(cls, value: SecretStr) -> SecretStr:
        if not (key := value.get_secret_value().strip()).isascii() or not key.isprintable():
            raise ValueError("should be printable ASCII")
        return SecretStr(key)

    @field_validator("operator_login")
    @classmethod
    def _a_login(cls, value: SecretStr) -> SecretStr:
        login = value.get_secret_value().strip()
        if login and (len(login) < 16 or not login.isascii() or not login.isprintable() or " " in login):
            raise ValueError("should be 16 or more printable characters of ASCII without spaces")
        return SecretStr(login)

    @field_validator("mail_url", "returns_url")
    @classmethod
    def _signs_of_a_secret(cls, value: SecretStr) -> SecretStr:
        _check_signs(value.get_secret_value())
        return value

    @field_validator("database_url")
    @classmethod
    def _signs_with_options(cls, value: str) -> str:
        _check_signs(value, query=True)
        return value

    @field_validator("prefect_url", "huggingface_url", "arxiv_url", "arxiv_rss_url", "summary_url")
    @classmethod
    def _signs(cls, value: str | None) -> str | None:
        _check_signs(value or "")
        return value

    @field_validator("public_url", "prefect_url", "huggingface_url", "arxiv_url", "arxiv_rss_url", "summary_url")
    @classmethod
    def _no_slash_at_the_end(cls, value: str | None) -> str | None:
        return value and value.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _a_site_of_its_own(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
        except ValueError:
            return value  # no address at all: who tries it tells
        if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(
                "should be a domain alone, without a path: give Paperround one of its own, such as "
                "https://papers.example.org"
            )
        return value

    @field_validator("home_dir", "cache_dir", "newsletters_dir", "topics_dir", "templates_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("database_url")
    @classmethod
    def _an_absolute_file(cls, value: str) -> str:
        scheme, found, file = value.partition(":///")
        if not found or not scheme.startswith("sqlite") or not file or file.startswith(("/", ":memory:", "file:")):
            return value
        return f"{scheme}:///{quote(str(Path.cwd()))}/{file}"

    @field_validator("dkim_key")
    @classmethod
    def _absolute_files(cls, value: str) -> str:
        return ",".join(str(Path(part.strip()).expanduser().absolute()) for part in value.split(",") if part.strip())

    @field_validator("templates_dir")
    @classmethod
    def _a_folder(cls, value: Path | None) -> Path | None:
        if value and not value.is_dir():
            raise ValueError("should be a folder that exists: make it, or leave the setting away")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        if value.strip().lower() == "none":
            return ""
        for one in (part.strip() for part in value.split(",") if part.strip()):
            try:
                ipaddress.ip_network(one)
            except ValueError:
                raise ValueError(f"has {one[:40]!r}: use addresses or networks such as 10.0.0.0/8") from None
        return value

    @property
    def proxies(self) -> list[str]:
        """The trusted proxies, each an address or a network."""
        return [part.strip() for part in self.trusted_proxies.split(",") if part.strip()]

    @property
    def database(self) -> str:
        """The database's URL with the driver that we use."""
        url = self.database_url or f"sqlite:///{quote(str(self.home_dir / 'paperround.db'))}"
        for plain, driven in (
            ("sqlite://", "sqlite+aiosqlite://"),
            ("postgresql://", "postgresql+asyncpg://"),
            ("postgres://", "postgresql+asyncpg://"),
        ):
            if url.startswith(plain):
                return driven + url.removeprefix(plain)
        if url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            return url
        raise Problem(
            f"PAPERROUND_DATABASE_URL begins with {url.split(':')[0]!r}: use sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST/NAME."
        )

    @property
    def database_file(self) -> str | None:
        """The file of an SQLite database; None where there is none."""
        driver, _, file = self.database.partition(":///")
        return unquote(file.partition("?")[0]) or None if driver.startswith("sqlite") else None

    @property
    def limit(self) -> Limit:
        """That of all mail together."""
        return read_rate(self.mail_rate)

    @property
    def limits(self) -> Mapping[str, Limit]:
        return read_limits(self.mail_limits)

    @property
    def warm_up(self) -> WarmUp | None:
        return read_warm_up(self.mail_warm_up)

    @property
    def back_off(self) -> Sequence[dt.timedelta]:
        return _back_off(self.mail_back_off)

    @cached_property
    def bounces_to(self) -> str:
        return self.return_path or parseaddr(self.sender)[1]

    @cached_property
    def sender_domain(self) -> str:
        """What the Message-IDs end with, among others."""
        return parseaddr(self.sender)[1].rpartition("@")[2]

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The parts of complaints and of hard bounces above which a newsletter is paused; None: no bound."""
        return _read_bounds(self.pause_above)

    @property
    def hook_secrets(self) -> Mapping[str, str]:
        """The secret of each provider that reports to us. Raises Problem for what can't be read."""
        found = {}
        for part in filter(None, map(str.strip, self.hooks.get_secret_value().split(";"))):
            name, equals, secret = (one.strip() for one in part.partition("="))
            if not (name and equals and secret):
                raise Problem("PAPERROUND_HOOKS should be such as `postmark = user:password; mailgun = KEY`.")
            found[name.lower()] = secret
        return found

    @property
    def signing_domain(self) -> str:
        return self.dkim_domain or self.sender_domain

    @cached_property
    def dkim_keys(self) -> tuple[tuple[bytes, str], ...]:
        """What signs mail: each key's file content and selector. Raises Problem for a file that can't be read."""
        files = [part.strip() for part in self.dkim_key.split(",") if part.strip()]
        selectors = [part.strip() for part in self.dkim_selector.split(",") if part.strip()]
        if len(files) != len(selectors):
            raise Problem(
                f"PAPERROUND_DKIM_KEY names {len(files)} files and PAPERROUND_DKIM_SELECTOR {len(selectors)} "
                "selectors: give each key its selector."
            )
        try:
            return tuple(
                (Path(file).expanduser().read_bytes(), selector)
                for file, selector in zip(files, selectors, strict=True)
            )
        except OSError as error:
            raise Problem(
                f"PAPERROUND_DKIM_KEY names the file {error.filename}, which can't be read ({error.strerror}): "
                "make one with `paperround dkim new`."
            ) from error

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """The keys that sign links, newest first; one is made in HOME_DIR if none is set."""
        given = [key.strip() for key in self.secret_key.get_secret_value().split(",") if key.strip()]
        if not given:
            given = [kept_key(self.home_dir / SECRET_KEY)]
        for key in given:
            if len(key) < 16:
                raise Problem(
                    "PAPERROUND_SECRET_KEY has a key of fewer than 16 characters: make one with "
                    "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`."
                )
        return tuple(key.encode() for key in given)

    @cached_property
    def login(self) -> str:
        """What opens Prefect's UI and the operator's pages; one is made in HOME_DIR if none is set."""
        return self.operator_login.get_secret_value() or kept_key(self.home_dir / "operator_login", "operator:")

    @property
    def lacks_keys(self) -> bool:
        """Whether one of the keys that sign and hash is neither set nor kept: `keys` or `hashing_key` would make it."""
        return any(
            not given.get_secret_value().strip() and not (self.home_dir / file).exists()
            for given, file in ((self.secret_key, SECRET_KEY), (self.suppression_key, SUPPRESSION_KEY))
        )

    def environment(self) -> dict[str, str]:
        """What was set, as the environment of a process that works elsewhere and reads no `.env`. What Prefect says
        instead is not in it: that may change."""
        if self._in_the_environment is not None:
            return self._in_the_environment
        found = {}
        for name in self.model_fields_set:
            value = getattr(self, name)
            if value is not None:
                plain = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
                found[f"PAPERROUND_{name.upper()}"] = plain
        return found

    @cached_property
    def hashing_key(self) -> bytes:
        """The key that suppressed addresses are hashed with; one is made in HOME_DIR if none is set."""
        key = self.suppression_key.get_secret_value().strip() or kept_key(self.home_dir / SUPPRESSION_KEY)
        if len(key) < 16:
            raise Problem(
                "PAPERROUND_SUPPRESSION_KEY has fewer than 16 characters: make one with "
                "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`."
            )
        return key.encode()


def _back_off(value: str) -> Sequence[dt.timedelta]:
    try:
        minutes = [float(part) for part in value.split(",")]
    except ValueError:
        minutes = []
    if not minutes or not all(0 < one <= 1440 for one in minutes):
        raise ValueError("should be minutes joined by commas, such as 1, 5, 15, 60, 120")
    return tuple(dt.timedelta(minutes=one) for one in minutes)


def _check_signs(url: str, *, query: bool = False) -> None:
    if wrong := fault(url, query=query):
        raise ValueError(wrong)


_BOUND = re.compile(r"(complaints|hard bounces)\s+(\d{1,2}(?:\.\d{1,4})?)\s*%")


def _read_bounds(value: str) -> tuple[float | None, float | None]:
    if value.strip().lower() == "never":
        return None, None
    found = [_BOUND.fullmatch(part.strip().lower()) for part in value.split(",")]
    bounds = {one[1]: float(one[2]) / 100 for one in found if one}
    if None in found or len(bounds) != len(found):
        raise ValueError("should be such as `complaints 0.1 %, hard bounces 5 %`, or `never`")
    return bounds.get("complaints"), bounds.get("hard bounces")


SECRET_KEY, SUPPRESSION_KEY = "secret_key", "suppression_key"
"""The files in HOME_DIR that keep what is not set."""


def kept_key(file: Path, begins: str = "") -> str:
    """The key in `file`, made now if there is none, as something random after what it `begins` with; of several
    processes that make one, the first one's counts."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # a temporary file is readable by its owner alone, and a link appears whole or not at all
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as new, contextlib.suppress(FileExistsError):
            new.write(begins + secrets.token_urlsafe(32))
            new.flush()
            os.link(new.name, file)
    return file.read_text().strip()


_WANTED = {
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "int_parsing_size": "should be a whole number",
    "float_parsing": "should be a number",
    "finite_number": "should be a number",
    "greater_than_equal": "should be {ge:g} or more",
    "less_than_equal": "should be {le:g} or less",
    "greater_than": "should be more than {gt:g}",
    "literal_error": "should be {expected}",
    "string_pattern_mismatch": "should be a URL such as https://papers.example.org",
}


def _wanted(error: ErrorDetails) -> str:
    """What a value should be, in our words."""
    words = _WANTED.get(error["type"])
    return words.format(**error.get("ctx", {})) if words else error["msg"].removeprefix("Value error, ")


def unknown_variables(given: Mapping[str, str], env_file: str = ".env") -> list[str]:
    """A sentence for each variable of ours, in the environment or the file, that is none: mistyped, or of another
    version. It names the nearest."""
    known = {f"PAPERROUND_{name.upper()}" for name in Settings.model_fields}
    written = dotenv_values(env_file, encoding="utf-8-sig") if Path(env_file).is_file() else {}
    found = []
    for name in sorted({*given, *written}):
        if name.upper().startswith("PAPERROUND_") and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
            meant = f": {near[0]} is meant?" if near else "; flows/README.md names those that there are."
            found.append(f"{name} is no setting and does nothing{meant}")
    return found


def load_settings(*, env_file: str | None = ".env") -> Settings:
    """The settings of this process, by the environment and what was last read in Prefect; raises Problem with one
    sentence that names the first bad variable."""
    settings = _settings(env_file)
    if not (taken := from_prefect.read(settings.home_dir)):
        return settings
    whole = _settings(env_file, taken)
    whole._in_the_environment = settings.environment()
    return whole


def _settings(env_file: str | None, taken: Mapping[str, str] | None = None) -> Settings:
    if env_file and (written := Path(env_file)).is_file() and written.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Problem("The file .env in this folder is UTF-16: save it as UTF-8, or move it.")
    try:
        return Settings(_env_file=env_file, **(taken or {}))  # type: ignore[arg-type] # it reads texts
    except ValidationError as error:
        first = error.errors()[0]
        name = "PAPERROUND_" + "_".join(str(part) for part in first["loc"]).upper()
        secret_fields = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr} | {
            "database_url"
        }
        value = "" if secret_fields.intersection(first["loc"]) else f" is {str(first['input'])[:60]!r}, which"
        raise Problem(f"{name}{value} is not accepted: {_wanted(first)}.") from error
    except UnicodeDecodeError as error:
        raise Problem(f"The file .env in this folder is not UTF-8 ({error.reason}): mend it or move it.") from error
