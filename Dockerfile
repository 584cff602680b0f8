# verifyd and nothing else: docker build -t verifyd .
FROM golang:1.27 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/verifyd ./cmd/verifyd && mkdir /out/data

FROM scratch
# Providers and webhooks are called with TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/verifyd /verifyd
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV XDG_DATA_HOME=/data
VOLUME /data
ENTRYPOINT ["/verifyd"]
