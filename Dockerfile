# One image for service and bot. Built by `make image`; docs/operation.md says how to run it.
ARG PYTHON=3.13.11-slim-trixie

FROM python:${PYTHON} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt requirements-container.txt /
RUN /venv/bin/pip install --only-binary :all: --require-hashes \
        -r /requirements.txt -r /requirements-container.txt \
    && /venv/bin/pip uninstall --yes pip

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="arash-panoptes" \
      org.opencontainers.image.description="A chat service for Telegram and REST, and its Telegram bot" \
      org.opencontainers.image.version="1.0.0" \
      org.opencontainers.image.licenses="MIT"

# A fixed number, so that files of the host can be given to it.
RUN groupadd --gid 10001 arash \
    && useradd --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home \
        --shell /usr/sbin/nologin arash \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data /logs

COPY --from=packages /venv /venv
COPY LICENSE run_service.py run_telegram_bot.py /app/
COPY wire /app/wire
COPY app /app/app
COPY telegram /app/telegram
COPY deploy/container /app/deploy/container
COPY deploy/supervisor /app/deploy/supervisor
# The root cannot be written, so what Python would compile at every start is compiled now.
RUN /venv/bin/python -m compileall -q /app

# /tmp is the one place for what need not be kept: the cache of the fonts for charts, for one.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/telegram \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TMPDIR=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    LOG_FILE= \
    TELEGRAM_LOG_FILE=
# The relative names of a .env that `make env` wrote become /data, /logs and /secrets.
WORKDIR /
USER 10001:10001
EXPOSE 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/app/deploy/container/health.py", "service"]
CMD ["python", "/app/run_service.py"]
