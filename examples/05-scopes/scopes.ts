// A cohort of which one sample is broken: it fails alone, the others are reported, and the run ends degraded.

import { command, file, list, optional, pipeline, sh, step, table, text } from "hdash";

export const clean = command({
  name: "clean",
  takes: { values: file() },
  // What could not be read is given only where there is any.
  gives: { cleaned: file("cleaned.txt"), rejected: optional(file("rejected.txt")) },
  uses: ["bin/clean.sh"],
  run: ({ values }) => sh`bash bin/clean.sh ${values}`,
});

export const distances = command({
  name: "distances",
  takes: { cleaned: file() },
  gives: { summary: file("summary.tsv") },
  uses: ["bin/distances.awk"],
  // Four times the memory at each attempt. The limit is set for the program itself, too, so that it ends where it would take more.
  resources: ({ attempt }) => ({ memoryMiB: 24 * 4 ** (attempt - 1), minutes: 1 }),
  attempts: 3,
  run: ({ cleaned }) => sh`
    ulimit -v $((HDASH_MEMORY_MIB * 1024))
    awk -f bin/distances.awk ${cleaned} > summary.tsv`,
});

export const report = step({
  name: "report",
  takes: {
    samples: table({ sample: text(), summary: file(), rejected: optional(file()) }),
    missing: list(text()),
  },
  gives: { report: file() },
  async run({ samples, missing }, { write }) {
    const lines = ["sample\tvalues\tmean distance\trejected"];
    for (const { sample, summary, rejected } of samples) {
      const own = (await summary.text()).trimEnd();
      const lost = rejected === null ? 0 : (await rejected.text()).trimEnd().split("\n").length;
      lines.push([sample, own, lost].join("\t"));
    }
    for (const sample of missing) lines.push(`${sample}\tmissing`);
    return { report: await write("report.tsv", `${lines.join("\n")}\n`) };
  },
});

export default pipeline({
  name: "scopes",
  takes: { sheet: table({ sample: text(), values: file() }) },
  gives: { report: file() },
  async plan({ sheet }, { run, scope }) {
    const done = await Promise.all(
      sheet.map(({ sample, values }) =>
        scope(sample, () => {
          const { cleaned, rejected } = run(clean, { values }, { label: sample });
          const { summary } = run(distances, { cleaned }, { label: sample });
          return { sample, summary, rejected };
        }),
      ),
    );
    const samples = done.flatMap((one) => (one.ok ? [one.value] : []));
    const missing = sheet.flatMap(({ sample }, at) => (done[at]?.ok === true ? [] : [sample]));
    return run(report, { samples, missing });
  },
});
