// Readings of samples, summarized and compared. To adapt: the columns of the sheet, what summary.ts works out of the readings, and the report.

import { file, json, number, pipeline, step, table, text } from "hdash";

import { readNumbers, reportOf, summarize, type Summary } from "./summary.ts";

/** Done once for each sample: a reading that changes runs its own sample again, and no other. */
export const summary = step({
  name: "summary",
  takes: { readings: file(), highest: number() },
  gives: { summary: json<Summary>() },
  async run({ readings, highest }) {
    return { summary: summarize(readNumbers(await readings.text()), highest) };
  },
});

export const report = step({
  name: "report",
  takes: { samples: table({ sample: text(), treatment: text(), summary: json<Summary>() }) },
  gives: { report: file() },
  async run({ samples }, { write }) {
    return { report: await write("report.tsv", reportOf(samples)) };
  },
});

export default pipeline({
  name: "readings",
  title: "Readings by treatment",
  takes: {
    sheet: table({ sample: text(), treatment: text(), readings: file() }),
    highest: number(100),
  },
  gives: { report: file() },
  plan({ sheet, highest }, { run }) {
    const samples = sheet.map(({ sample, treatment, readings }) => ({
      sample,
      treatment,
      summary: run(summary, { readings, highest }, { label: sample }).summary,
    }));
    return run(report, { samples });
  },
});
