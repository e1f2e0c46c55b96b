#!/bin/sh
# Asks the registry what is known of the packages that are shipped, and of those that deploy, and fails where something is high or critical. A registry that answers no
# such question is said, and stops nothing: the scan of the image asks somebody else.
set -eu
cd "${1:-$(dirname "$0")/..}"
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
for folder in . infra; do
  # Of the stack all are asked for: what synthesises and deploys it, the CDK's command line, is for development by its lockfile alone.
  omit=--omit=dev
  [ "$folder" = . ] || omit=--include=dev
  # npm fails with the same code where it found something and where nobody answered; only what was found has counts.
  npm audit "$omit" --json --prefix "$folder" >"$answer" 2>/dev/null || :
  NAME="$folder" node --input-type=module --eval '
    import { readFileSync } from "node:fs";
    const read = () => {
      try {
        return JSON.parse(readFileSync(process.argv[1], "utf8"));
      } catch {
        return {};
      }
    };
    const { NAME } = process.env;
    const { metadata, vulnerabilities, message, error } = read();
    const counts = metadata?.vulnerabilities;
    if (counts === undefined) {
      console.log(`audit.sh: ${NAME}: the registry gave no answer (${message ?? error?.summary ?? "nothing that can be read"})`);
    } else {
      const bad = Object.values(vulnerabilities).filter(({ severity }) => ["high", "critical"].includes(severity));
      console.log(`audit.sh: ${NAME}: ${counts.critical} critical, ${counts.high} high, ${counts.total} in all`);
      for (const { name, severity } of bad) console.log(`audit.sh: ${name} is ${severity}`);
      process.exitCode = counts.critical + counts.high > 0 ? 1 : 0;
    }
  ' "$answer" || { echo "audit.sh: see them with: npm audit $omit --prefix $folder" >&2; exit 1; }
done
