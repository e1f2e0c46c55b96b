#!/bin/sh
# Fails unless the branch that BRANCH names is there (branch.sh there) or gone (branch.sh gone) now: a job may wait for its turn for so
# long that what its event told is over. GITHUB_TOKEN lets it ask a private repository.
set -eu
: "${BRANCH:?branch.sh: set BRANCH to the name of a branch}" "${1:?branch.sh: there or gone?}"
cd "${2:-$(dirname "$0")/..}"
if [ -n "${GITHUB_TOKEN:-}" ]; then
  # By the environment, since everybody on a machine can read a command line.
  login=$(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 | tr -d '\n')
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraHeader"
  export GIT_CONFIG_VALUE_0="Authorization: Basic $login"
fi
# All of them, compared whole: as a pattern a name would also match the end of another's.
heads=$(GIT_TERMINAL_PROMPT=0 git ls-remote --heads origin)
now=gone
if echo "$heads" | cut -f 2 | grep -Fxq -e "refs/heads/$BRANCH"; then now=there; fi
[ "$now" = "$1" ] || { echo "branch.sh: nothing is done: the branch $BRANCH is $now" >&2; exit 1; }
