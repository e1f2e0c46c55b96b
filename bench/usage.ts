// Loaded into a measured process with --import: when it exits, what it used is written to the file BENCH_USAGE_FILE names.

import { writeFileSync } from "node:fs";

const path = process.env["BENCH_USAGE_FILE"];
if (path !== undefined && path !== "") {
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const cpuMs = (userCPUTime + systemCPUTime) / 1000;
    writeFileSync(path, JSON.stringify({ cpuMs, maxRssBytes: maxRSS * 1024 }));
  });
}
