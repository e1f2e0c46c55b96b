#!/bin/sh
# Prints the namespace of the branch that BRANCH names. A branch's name is data that anybody who may push chooses: it comes by the
# environment and is put into no command line.
set -eu
cd "$(dirname "$0")/.."
: "${BRANCH:?namespace.sh: set BRANCH to the name of a branch}"
exec node --disable-warning=ExperimentalWarning --input-type=module --eval '
  import { makeNamespace, PRODUCTION, STAGING } from "./src/settings/namespace.ts";
  const branch = process.env.BRANCH;
  const namespace = makeNamespace(branch);
  // Deployments of the branch main and of tags have these; no other branch may deploy over them or tear them down.
  if ([PRODUCTION, STAGING].includes(namespace)) {
    console.error(`namespace.sh: the namespace ${namespace} is not made from a branch; staging.yml and production.yml deploy it`);
    process.exit(2);
  }
  console.log(namespace);
'
