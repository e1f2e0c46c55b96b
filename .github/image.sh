#!/bin/sh
# Pushes the image hdash:TAG that was handed over (handOver.sh) as REGISTRY/REPOSITORY:TAG, unless it is there: tags cannot be overwritten.
# One that is there, or was handed over, and was built from another commit is refused, or something would be deployed that was not tested.
set -eu
cd "${1:-$(dirname "$0")/..}"
: "${REGISTRY:?image.sh: set REGISTRY}" "${REPOSITORY:?image.sh: set REPOSITORY}" "${TAG:?image.sh: set TAG}"
image=$REGISTRY/$REPOSITORY:$TAG
commit=$(git rev-parse HEAD)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Compares the commit that an image's label names.
compare() {
  built=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$1")
  [ "$built" = "$commit" ] || { echo "image.sh: $2, but of the commit ${built:-unknown} and not of $commit" >&2; exit 1; }
}
if aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$TAG" >/dev/null 2>"$log"; then
  docker pull --quiet "$image" >/dev/null
  compare "$image" "$image is there"
  echo "image.sh: $image is there"
else
  # Whatever else is wrong, another image does not mend it.
  grep -q ImageNotFoundException "$log" || { cat "$log" >&2; exit 1; }
  docker load --quiet --input handover/image.tar >/dev/null
  compare "hdash:$TAG" "hdash:$TAG was handed over"
  docker tag "hdash:$TAG" "$image"
  docker push --quiet "$image"
fi
