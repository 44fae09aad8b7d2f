# The base image with its digest, because a tag can change: node:24-bookworm-slim@sha256:…
# `docker buildx imagetools inspect node:24-bookworm-slim` prints the digest.
ARG NODE_IMAGE

# The packages that run in production, and nothing that only builds or tests.
FROM ${NODE_IMAGE} AS packages
WORKDIR /portal
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 NODE_COMPILE_CACHE=/portal/.cache
WORKDIR /portal
COPY --from=packages /portal/node_modules ./node_modules
COPY package.json ./
COPY public ./public
COPY views ./views
COPY src ./src
# Fills Node's compile cache, which belongs to one user: without a configuration the portal loads everything and exits.
RUN install -d -o node .cache
USER node
RUN node --max-semi-space-size=8 --heap-growing-percent=100 --expose-gc src/main.ts 2>/dev/null || true
# Works with --read-only.
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# node is process 1 and handles SIGTERM itself.
CMD ["node", "--max-semi-space-size=8", "--heap-growing-percent=100", "--expose-gc", "src/main.ts"]
