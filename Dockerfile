# fsarbench with the main job as its default command:
#
#   docker build -t fsarbench .
#   docker run --rm -v fsarbench-runs:/home/fsarbench/runs fsarbench
#
# With a GPU, on an image of CUDA:
#
#   docker build -t fsarbench --build-arg BASE=nvidia/cuda:12.8.1-base-ubuntu24.04 .
#   docker run --rm --gpus all -v fsarbench-runs:/home/fsarbench/runs fsarbench
ARG BASE=python:3.12-slim
FROM ${BASE}

# Further options of pip, such as the index of another build of torch.
ARG PIP_OPTIONS=""

# The images of CUDA have no Python; that of Ubuntu 24.04 is 3.12.
RUN command -v python3 || { \
        apt-get update \
        && apt-get install -y --no-install-recommends python3 python3-venv \
        && rm -rf /var/lib/apt/lists/*; \
    }

# Not 1000, which is a user of Ubuntu's images.
RUN useradd --create-home --uid 10001 fsarbench \
    && install -d -o fsarbench /home/fsarbench/runs /home/fsarbench/.cache

COPY pyproject.toml README.md LICENSE /tmp/fsarbench/
COPY fsarbench /tmp/fsarbench/fsarbench
COPY configs /tmp/fsarbench/configs
COPY registry /tmp/fsarbench/registry
RUN python3 -m venv /opt/fsarbench \
    && /opt/fsarbench/bin/pip install --no-cache-dir ${PIP_OPTIONS} /tmp/fsarbench \
    && rm -rf /tmp/fsarbench

USER fsarbench
WORKDIR /home/fsarbench
ENV PATH=/opt/fsarbench/bin:$PATH
# Results; and rendered videos and downloaded weights, which later containers use again.
VOLUME ["/home/fsarbench/runs", "/home/fsarbench/.cache"]

ENTRYPOINT ["fsarbench"]
CMD ["run", "configs/mafsar_synthact_1shot.py"]
