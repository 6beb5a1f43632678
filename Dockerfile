FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=devel
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /out/callboard ./cmd/callboard \
 && mkdir -p /out/etc/callboard/rules && install -d -m 1777 /out/tmp && install -d -o 65532 -g 65532 -m 750 /out/data

FROM scratch
# To reach sinks over https.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /
COPY LICENSE /
# Inside a container loopback is nobody's: the admin listener is on every address, and outside only where it is published.
ENV CALLBOARD_RULES=/etc/callboard/rules \
    CALLBOARD_DATA=/data \
    CALLBOARD_LISTEN=:8080 \
    CALLBOARD_ADMIN=:8081
USER 65532:65532
# Mount the folder, never a single file: a replaced file would not be seen.
VOLUME /etc/callboard/rules
# What was acknowledged and is not delivered yet: on a disk that outlives the container.
VOLUME /data
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/callboard", "health"]
ENTRYPOINT ["/callboard"]
CMD ["serve"]
