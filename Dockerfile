# One image for the web (`serve`), `worker`, `beat` and `migrate`; docs/deploy.md says how to run each.
# The Python that the suite runs on; both stages have it at the same path.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# What changes seldom comes first: the pinned requirements, each checked against its hash.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt \
    && pip install --require-hashes --only-binary :all: -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY spec ./spec
COPY tracker ./tracker
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && /venv/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /venv/bin/pip uninstall --yes pip

FROM python:${PYTHON} AS runtime
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0
COPY --from=build /venv /venv
# The SQLite file, where no DATABASE_URL is given, lives in a folder of its own: mount a volume there to keep it. Beside
# it and /tmp nothing is written: the root file system may be read-only.
WORKDIR /data
RUN chown 10001:10001 /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Of the web; compose.yaml has that of worker and beat, which listen nowhere.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["tracker", "health"]
ENTRYPOINT ["tracker"]
CMD ["serve"]
