#!/bin/sh
# push.sh docker|buildah: builds the image of this folder and pushes it to REGISTRY as $IMAGE:$TAG and latest.
#
# The password goes by standard input, never into a command line.
set -eu

tool=${1:?docker or buildah is missing}
: "${REGISTRY:?}" "${REGISTRY_USER:?}" "${REGISTRY_PASSWORD:?}" "${IMAGE:?}" "${TAG:?}"

case $tool in
docker)
    # With a REGISTRY_CA, the daemon must know it too: mount it at /etc/docker/certs.d/$REGISTRY/ca.crt of the service.
    printf %s "$REGISTRY_PASSWORD" | docker login --username "$REGISTRY_USER" --password-stdin "$REGISTRY"
    trap 'docker logout "$REGISTRY"' EXIT
    docker build --pull --tag "$IMAGE:$TAG" --tag "$IMAGE:latest" .
    docker push "$IMAGE:$TAG"
    docker push "$IMAGE:latest"
    ;;
buildah)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    export REGISTRY_AUTH_FILE="$work/auth.json"
    if [ -n "${REGISTRY_CA:-}" ]; then
        cp "$REGISTRY_CA" "$work/ca.crt"
        set -- --cert-dir "$work"
    else
        set --
    fi
    printf %s "$REGISTRY_PASSWORD" | buildah login "$@" --username "$REGISTRY_USER" --password-stdin "$REGISTRY"
    buildah build --pull --tag "$IMAGE:$TAG" .
    buildah push "$@" "$IMAGE:$TAG" "docker://$IMAGE:$TAG"
    buildah push "$@" "$IMAGE:$TAG" "docker://$IMAGE:latest"
    ;;
*)
    echo "push.sh: $tool is not known. Use docker or buildah." >&2
    exit 2
    ;;
esac
