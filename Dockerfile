# The server shape: web or worker, with PostgreSQL and the queue given by URL. See compose.yaml.
FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
RUN useradd --create-home --home-dir /srv/duban duban
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-deps --require-hashes -r requirements.lock
COPY . .
# The screens, with the Node that comes with the packages; what only the build needed goes again.
RUN python -m backend.screen_build && rm -rf web/node_modules && chown -R duban web/dist
USER duban
ENV DUBAN_VAR=/srv/duban DUBAN_HOST=0.0.0.0
EXPOSE 8000
CMD ["python", "-m", "backend", "up"]
