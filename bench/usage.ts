// Loaded into a measured process with --import: when it exits, what it used is written to the file BENCH_USAGE_FILE names.

import { readFileSync, writeFileSync } from "node:fs";

const path = process.env["BENCH_USAGE_FILE"];
if (path !== undefined && path !== "") {
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const cpuMs = (userCPUTime + systemCPUTime) / 1000;
    const usage = { cpuMs, maxRssBytes: maxRSS * 1024, ...readCounts() };
    writeFileSync(path, JSON.stringify(usage));
  });
}

/** Bytes that the process has read and written, of files and connections, as Linux counts them; 0 elsewhere. */
function readCounts(): { readonly readBytes: number; readonly writtenBytes: number } {
  let text = "";
  try {
    text = readFileSync("/proc/self/io", "utf8");
  } catch {
    // Another system than Linux.
  }
  const count = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  return { readBytes: count("rchar"), writtenBytes: count("wchar") };
}
