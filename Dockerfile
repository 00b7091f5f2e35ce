# syntax=docker/dockerfile:1
# The worker image, linux/amd64. docs/deployment.md tells how to build it, and what is not verified.
#
# CUDA 13 hosts (driver 580 or newer): the defaults.
# CUDA 12 hosts: --build-arg CUDA_IMAGE=nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04
#                --build-arg ONNXRUNTIME_VERSION=1.26.0
ARG CUDA_IMAGE=nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04
ARG NODE_IMAGE=node:24.20.0-bookworm-slim

FROM ${NODE_IMAGE} AS node

FROM node AS dependencies
# What package.json pins; another version replaces it in this image only.
ARG ONNXRUNTIME_VERSION=1.30.0
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts \
 && installed="$(node -p "require('onnxruntime-node/package.json').version")" \
 && if [ "$installed" != "$ONNXRUNTIME_VERSION" ]; then \
      npm install --omit=dev --ignore-scripts --no-save "onnxruntime-node@$ONNXRUNTIME_VERSION"; \
    fi
# The CUDA provider is not in the npm package: its own script fetches it, and never tries twice.
RUN for attempt in 1 2 3 4 5; do \
      node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install && break; \
      sleep $((attempt * 10)); \
    done \
 && cd node_modules/onnxruntime-node/bin/napi-v6 \
 && test -s linux/x64/libonnxruntime_providers_cuda.so \
 && test -s linux/x64/libonnxruntime_providers_shared.so \
 && rm -rf darwin win32 linux/arm64 linux/x64/libonnxruntime_providers_tensorrt.so

FROM ${CUDA_IMAGE} AS worker
# libatomic1 is for Node, which is copied without the packages of its image.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg libatomic1 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 stt \
 && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin stt \
 && install -d -o stt -g stt /var/cache/huggingface /var/spool/stt /var/lib/stt
COPY --from=node /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE test_input.json ./
COPY samples samples
COPY models models
COPY core core
COPY audio audio
COPY pipeline pipeline
COPY handler handler
ENV NODE_ENV=production \
    FFMPEG_PATH=/usr/bin/ffmpeg \
    HF_HOME=/var/cache/huggingface \
    SPOOL_DIR=/var/spool/stt \
    DATA_DIR=/var/lib/stt \
    RUNPOD_MODEL_CACHE=/runpod-volume/huggingface-cache/hub \
    MODEL_VOLUME=/runpod-volume/stt-models
USER 10001:10001
# The service (PORT, or --serve): its port, and what must outlive the container.
EXPOSE 8001
VOLUME /var/lib/stt
# A queue worker has no server; RunPod watches its pings instead.
HEALTHCHECK --interval=15s --timeout=5s --start-period=15m CMD ["node", "-e", "const { PORT, RUNPOD_WEBHOOK_GET_JOB } = process.env; if (RUNPOD_WEBHOOK_GET_JOB) process.exit(0); fetch(`http://127.0.0.1:${PORT || 8001}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The base image's entry point prints a banner to stdout, which belongs to results and logs.
ENTRYPOINT []
# Node 24 strips types by itself. With PORT it serves; with neither that nor RunPod's variables it runs
# the sample job and exits.
CMD ["node", "handler/main.ts"]
