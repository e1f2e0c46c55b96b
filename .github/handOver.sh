#!/bin/sh
# Hands what one job has installed and built to the job that has AWS's keys, which fetches nothing from a registry of packages itself:
# handOver.sh pack writes handover.tar and says its digest to GitHub; handOver.sh unpack takes it only with that digest (SHA256) and of the
# commit that is checked out. With TAG the image hdash:TAG goes along.
set -eu
cd "${2:-$(dirname "$0")/..}"
refuse() {
  echo "handOver.sh: nothing is taken: $1" >&2
  exit 1
}
case "${1:-}" in
  pack)
    : "${GITHUB_OUTPUT:?handOver.sh: set GITHUB_OUTPUT to the file that GitHub reads outputs from}"
    rm -rf handover handover.tar
    mkdir handover
    git rev-parse HEAD > handover/commit
    [ -z "${TAG:-}" ] || docker save --output handover/image.tar "hdash:$TAG"
    tar --create --file handover.tar handover node_modules infra/node_modules infra/cdk.out
    echo "sha256=$(sha256sum handover.tar | cut -d ' ' -f 1)" >> "$GITHUB_OUTPUT" ;;
  unpack)
    : "${SHA256:?handOver.sh: set SHA256 to what the packing job said}" "${GITHUB_ENV:?handOver.sh: set GITHUB_ENV to the file that GitHub reads variables from}"
    [ -f handover.tar ] || refuse "there is no handover.tar"
    got=$(sha256sum handover.tar | cut -d ' ' -f 1)
    [ "$got" = "$SHA256" ] || refuse "handover.tar has the digest $got and not $SHA256"
    tar --extract --file handover.tar handover/commit
    packed=$(cat handover/commit)
    commit=$(git rev-parse HEAD)
    [ "$packed" = "$commit" ] || refuse "it was packed for the commit $packed and not for $commit"
    # What the build job has installed and made, and nothing beside it: scripts are those of the commit.
    tar --extract --file handover.tar handover node_modules infra/node_modules infra/cdk.out
    # make sees that all is installed, and npm, should something call it all the same, stays at home.
    touch node_modules/.installed infra/node_modules/.installed
    printf 'npm_config_offline=true\nCDK_APP=%s\n' "$PWD/infra/cdk.out" >> "$GITHUB_ENV" ;;
  *) echo "handOver.sh: pack or unpack?" >&2; exit 2 ;;
esac
