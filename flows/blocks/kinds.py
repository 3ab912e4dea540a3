"""The Blocks of Prefect's that Paperround reads. One named `paperround` counts; Prefect keeps what is secret encrypted.

https://docs.prefect.io/v3/concepts/blocks
"""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

NAME = "paperround"


class MailServer(Block):
    """The mail server that all mail leaves by, in place of PAPERROUND_MAIL_URL. Name it `paperround`: the next run and
    the next letter use it. Without it the environment counts again."""

    _block_type_name = "Paperround mail server"
    _block_type_slug = "paperround-mail-server"
    _description = "The mail server that Paperround's mail leaves by. Name it paperround."

    url: SecretStr = Field(
        title="URL",
        description="smtp://, smtps:// or smtp+starttls://USER:PASSWORD@HOST:PORT",
        examples=["smtp+starttls://USER:PASSWORD@mail.example.org:587"],
    )


class DkimKey(Block):
    """The key that signs all mail, in place of PAPERROUND_DKIM_KEY. Name it `paperround`. `paperround dkim new` makes
    one, and says what stands in DNS."""

    _block_type_name = "Paperround DKIM key"
    _block_type_slug = "paperround-dkim-key"
    _description = "The key that signs Paperround's mail. Name it paperround."

    key: SecretStr = Field(
        title="Private key",
        description="As `paperround dkim new` wrote it, with its lines BEGIN and END",
        json_schema_extra={"format": "textarea"},
    )
    selector: str = Field(title="Selector", description="The part of its DNS name before ._domainkey")
    domain: str = Field("", title="Domain", description="The domain that signs; none means that of the sender")


KINDS = (MailServer, DkimKey)
