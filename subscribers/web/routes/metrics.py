"""Figures in the form that Prometheus reads, for whoever has the token or has logged in.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from subscribers.ledger.figures import MEANINGS, Figure
from subscribers.web.operators import logged_in, operators_alone
from subscribers.web.services import services

KEPT = 15.0
"""Seconds for which the figures are not counted anew, however often they are asked for."""


class _Latest:
    """The figures, counted by one request at a time."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._at, self._text = float("-inf"), b""

    async def text(self, request: Request) -> bytes:
        async with self._lock:
            if time.monotonic() - self._at > KEPT:
                s = services(request)
                self._text = exposed(await s.figures.now(s.now()))
                self._at = time.monotonic()
            return self._text


async def metrics(request: Request) -> Response:
    """A scraper shows its token (`Authorization: Bearer …`); a browser its login."""
    token = services(request).metrics_token
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if token and hmac.compare_digest(shown.encode(), token.encode()):
        return await _figures(request)
    if "text/html" in request.headers.get("Accept", "") or await logged_in(request):
        return await operators_alone(_figures)(request)
    return PlainTextResponse(
        "Say the token for the figures, as Authorization: Bearer TOKEN.\n",
        HTTPStatus.UNAUTHORIZED,
        {"WWW-Authenticate": "Bearer"},
    )


async def _figures(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "latest_figures"):
        state.latest_figures = _Latest()
    text = await state.latest_figures.text(request)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"})


def exposed(figures: Sequence[Figure]) -> bytes:
    """The figures as text, each with what it means."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(figures))
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        for name, meaning in MEANINGS.items():
            ours = [figure for figure in self._figures if figure.name == name]
            labels = list(ours[0].labels) if ours else []
            family = GaugeMetricFamily(f"paperround_{name}", meaning, labels=labels)
            for figure in ours:
                family.add_metric(list(figure.labels.values()), figure.value)
            yield family


ROUTES = (Route("/metrics", metrics),)
