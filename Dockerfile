# One image for every part; docker-compose.yml says which part a container is. Alone it is the whole service on SQLite:
#   docker run --init -p 127.0.0.1:8000:8000 -v sla-var:/app/var sla-service
# Mirrors: --build-arg PYTHON_IMAGE=mirror/python:3.13-slim --build-arg PIP_INDEX_URL=...; no network at run time.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL=
WORKDIR /app
# Only what decides about the dependencies, so that a change of the code does not install them again.
COPY sla pyproject.toml constraints.txt ./
# An empty PIP_INDEX_URL would be an index at no address, not the default one.
RUN if [ -z "$PIP_INDEX_URL" ]; then unset PIP_INDEX_URL; fi; ./sla setup
COPY schemas ./schemas
COPY sla_service ./sla_service
COPY tasks ./tasks
COPY config ./config
RUN .venv/bin/python -m compileall -q schemas sla_service tasks

FROM ${PYTHON_IMAGE}
# The same folder as above: the environment knows its own path.
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /app sla && install -d -o sla -g sla -m 0700 /app/var
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 SLA_HTTP=0.0.0.0:8000
USER 10001
EXPOSE 8000
VOLUME /app/var
CMD ["sla", "up"]
