# mixd, and the host servers of docker-compose.yml, all on Debian 12.

FROM rust:1-bookworm AS build
WORKDIR /src
# Cargo reads the manifest whole, and that names benches and a test.
COPY Cargo.toml Cargo.lock ./
COPY benches ./benches
COPY tests/store_kill.rs ./tests/store_kill.rs
COPY tests/clients.rs ./tests/clients.rs
COPY src ./src
RUN cargo build --release --locked --bin mixd

FROM debian:bookworm-slim AS mixd
RUN useradd --system --home-dir /var/lib/mixd --create-home mixd
COPY --from=build /src/target/release/mixd /usr/local/bin/mixd
COPY config/mixd.toml /etc/mixd/mixd.toml
USER mixd
VOLUME /var/lib/mixd
ENTRYPOINT ["mixd"]
CMD ["serve", "--config", "/etc/mixd/mixd.toml"]

# Debian's packages as they are; scripts/host runs them with the files of config/.
FROM debian:bookworm-slim AS prosody
RUN apt-get update \
    && apt-get install -y --no-install-recommends prosody prosody-modules netcat-openbsd \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o prosody -g prosody /var/lib/host
COPY config /opt/mixd/config
COPY scripts/host /opt/mixd/scripts/host
USER prosody
VOLUME /var/lib/host
ENTRYPOINT ["/opt/mixd/scripts/host", "prosody", "/var/lib/host"]

FROM debian:bookworm-slim AS ejabberd
RUN apt-get update \
    && apt-get install -y --no-install-recommends ejabberd netcat-openbsd \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o ejabberd -g ejabberd /var/lib/host
COPY config /opt/mixd/config
COPY scripts/host /opt/mixd/scripts/host
USER ejabberd
VOLUME /var/lib/host
ENTRYPOINT ["/opt/mixd/scripts/host", "ejabberd", "/var/lib/host"]
