# One image for every part: `paperround up` by default, or one of the commands that compose.yaml names.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY flows flows
COPY subscribers subscribers
COPY templates templates
RUN python -m venv /opt/paperround
RUN /opt/paperround/bin/pip install --no-cache-dir --no-compile .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/paperround paperround
COPY --from=build /opt/paperround /opt/paperround
COPY prefect.yaml /opt/paperround/
ENV PATH=/opt/paperround/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PAPERROUND_HOME_DIR=/var/lib/paperround \
    PAPERROUND_CACHE_DIR=/var/lib/paperround/cache \
    DO_NOT_TRACK=1
USER paperround
WORKDIR /var/lib/paperround
VOLUME /var/lib/paperround
EXPOSE 8180
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8180/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["paperround", "up", "--host", "0.0.0.0"]
