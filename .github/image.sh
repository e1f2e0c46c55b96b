#!/bin/sh
# Builds and pushes the image REGISTRY/REPOSITORY:TAG of this checkout's commit, unless it is there: tags cannot be overwritten. One that
# is there and was built from another commit is refused, or something would be deployed that was not tested.
set -eu
cd "${1:-$(dirname "$0")/..}"
: "${REGISTRY:?image.sh: set REGISTRY}" "${REPOSITORY:?image.sh: set REPOSITORY}" "${TAG:?image.sh: set TAG}"
image=$REGISTRY/$REPOSITORY:$TAG
commit=$(git rev-parse HEAD)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$TAG" >/dev/null 2>"$log"; then
  docker pull --quiet "$image" >/dev/null
  built=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image")
  [ "$built" = "$commit" ] || { echo "image.sh: $image is there, but of the commit ${built:-unknown} and not of $commit" >&2; exit 1; }
  echo "image.sh: $image is there"
else
  # Whatever else is wrong, a build does not mend it.
  grep -q ImageNotFoundException "$log" || { cat "$log" >&2; exit 1; }
  # With the base as it is now: a machine may keep one from long ago.
  make build_amd64 docker_push DOCKER_FLAGS=--pull
fi
