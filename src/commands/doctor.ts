// `hdash doctor`: asks every configured service one small question and says for each what to do.

import { isThisMachine } from "../address.ts";
import { makeEffects } from "../effects.ts";
import { count } from "../format.ts";
import { diagnose, type Diagnosis, type Job } from "../job.ts";
import { SILENT } from "../log.ts";
import { IMPATIENT } from "../retry.ts";
import type { Config } from "../settings/config.ts";
import { placesOf } from "../settings/namespace.ts";
import { EXIT, type Shell } from "../shell.ts";

/** Where a service is said to be: what is configured decides which variables there are to check. */
const SITE = {
  s3: "S3_ENDPOINT_URL, S3_REGION and S3_BUCKET_NAME",
  folder: "HDASH_SITE_DIR",
} as const;
const DATABASE = { postgres: "HDASH_DB_HOST and HDASH_DB_PORT", embedded: "HDASH_HOME" } as const;
const VARIABLES_OF: Readonly<Record<string, string>> = {
  Website: "S3_WEB_SITE_URL",
  Artifacts: "HDASH_WORK_BUCKET, S3_ENDPOINT_URL and S3_REGION",
};

/** Examines every service, prints a line for each, and returns 0 where all is well, 1 where something is broken. */
export async function examine(shell: Shell, jobs: readonly Job[]): Promise<number> {
  // A missing token is a diagnosis here, not a reason to stop; malformed variables still stop with exit 2.
  const config = shell.config([]);
  const effects = makeEffects(config, SILENT, { policy: IMPATIENT });
  const found: Diagnosis[] = [];
  try {
    // All at once, told in order: what does not answer takes its time.
    const asked = [
      askDatabase,
      askBucket,
      askWebsite,
      askArtifacts,
      ...jobs.map(askJob),
      askSlack,
    ].map((ask) => ask(config, effects, shell.signal));
    for (const answers of asked) {
      for (const diagnosis of await answers) {
        found.push(diagnosis);
        const mark = { ok: "ok  ", note: "note", bad: "BAD " }[diagnosis.state];
        shell.print(`${mark}  ${diagnosis.service.padEnd(9)} ${diagnosis.says}`);
        if (diagnosis.advice !== null) shell.print(`      ${"".padEnd(9)} → ${diagnosis.advice}`);
      }
    }
  } finally {
    await effects.close();
  }
  const bad = found.filter(({ state }) => state === "bad").length;
  shell.print(bad === 0 ? "everything that is configured works" : `${count(bad, "thing")} to mend`);
  return bad === 0 ? EXIT.ok : EXIT.failed;
}

type Ask = (
  config: Config,
  effects: ReturnType<typeof makeEffects>,
  signal: AbortSignal,
) => Promise<readonly Diagnosis[]>;

function askJob(job: Job): Ask {
  return async (config, effects, signal) =>
    (await job.examine?.(effects, config.of(job), signal)) ?? [];
}

const askDatabase: Ask = async ({ database: settings }, effects) => {
  const service = "Database";
  return [
    await diagnose(
      service,
      "the database",
      DATABASE[settings.kind],
      async () => {
        const database = await effects.database();
        const { words, advice } = describeConnection(settings);
        const says = `${database.describe()} is reachable and migrated${words}`;
        return { service, state: advice === null ? "ok" : "note", says, advice };
      },
      settings.kind === "embedded",
    ),
  ];
};

/** Says how a connection is protected, and what to do where it is not: what is switched off is to be seen by whoever looks. */
function describeConnection(settings: Config["database"]): {
  readonly words: string;
  readonly advice: string | null;
} {
  if (settings.kind === "embedded") return { words: "", advice: null };
  if (settings.tls !== null) {
    return { words: ", over TLS with a verified certificate", advice: null };
  }
  if (isThisMachine(settings.host)) {
    return { words: ", without TLS, on this machine", advice: null };
  }
  return {
    words: ", without TLS, since HDASH_DB_TLS is off",
    advice:
      "Everything goes there in clear, the password too: set HDASH_DB_TLS=on, and HDASH_DB_CA_FILE where the authority is your own.",
  };
}

const askBucket: Ask = async ({ site }, effects, signal) => {
  const service = "Site";
  const isHere = site.kind === "folder";
  const ask = async (): Promise<Diagnosis> => {
    const bucket = await effects.bucket();
    const probe = "hdash-doctor.txt";
    await bucket.put(
      probe,
      new TextEncoder().encode("hdash doctor was here\n"),
      { contentType: "text/plain; charset=utf-8", cacheControl: "no-store" },
      signal,
    );
    await bucket.delete([probe], signal);
    // Publishing lists before it puts: a role that may not is found out here.
    for await (const _object of bucket.list(signal)) break;
    const says = `${bucket.uri} can be written and cleaned`;
    return { service, state: "ok", says, advice: null };
  };
  return [await diagnose(service, isHere ? site.dir : "the bucket", SITE[site.kind], ask, isHere)];
};

const askWebsite: Ask = async (config, effects, signal) => {
  const service = "Website";
  const { siteUrl } = config;
  if (siteUrl === null) {
    return [
      {
        service,
        state: "note",
        says: "S3_WEB_SITE_URL is not set",
        advice:
          "Set it to the address where people see the site, so that Slack messages can link to it.",
      },
    ];
  }
  if (siteUrl.startsWith("file:")) return [{ service, state: "ok", says: siteUrl, advice: null }];
  return [
    await diagnose(service, siteUrl, VARIABLES_OF[service] ?? "", async () => {
      const { websiteStatus } = await import("../sources/website.ts");
      const status = await websiteStatus(await effects.http(), siteUrl, signal);
      if (status < 400)
        return { service, state: "ok", says: `${siteUrl} answers ${status}`, advice: null };
      return {
        service,
        state: status === 404 ? "note" : "bad",
        says: `${siteUrl} answers ${status}`,
        advice:
          status === 404
            ? "Nothing is published there yet, or the bucket's website hosting has another address: run hdash once and look again."
            : "Allow public reading of the site bucket (or of its CloudFront), and turn on website hosting with index.html.",
      };
    }),
  ];
};

const askArtifacts: Ask = async ({ namespace, workBucket }, effects, signal) => {
  const service = "Artifacts";
  if (workBucket === null) return [];
  if (namespace === null) {
    const says = "HDASH_WORK_BUCKET is set, NAMESPACE is not: hdash's own views and lists are used";
    return [{ service, state: "note", says, advice: null }];
  }
  return [
    await diagnose(service, `s3://${workBucket}`, VARIABLES_OF[service] ?? "", async () => {
      const { inspectArtifacts } = await import("../artifacts/inspect.ts");
      const bucket = await effects.openWorkBucket(placesOf(namespace).artifacts);
      const { nameBuild } = await import("../artifacts/build.ts");
      const build = effects.madeFrom;
      const { verdict } = await inspectArtifacts(bucket, new Map(), build, signal);
      const advice = "`hdash artifacts upload` puts this checkout's there.";
      const found = `${bucket.uri} can be read`;
      if (verdict.kind === "none") {
        const says = `${found}: there is nothing, hdash's own views and lists are used`;
        return { service, state: "note", says, advice };
      }
      if (verdict.kind === "broken") {
        const says = `${found}, but the artifacts are not whole: runs fail (${verdict.why})`;
        return { service, state: "bad", says, advice };
      }
      const { manifest } = verdict;
      const says = `${found}: ${count(manifest.files.length, "file")} of hdash ${nameBuild(manifest)}`;
      if (verdict.kind === "usable") return { service, state: "ok", says, advice: null };
      const other = `${says}; this is ${nameBuild(build)}, which uses its own`;
      return { service, state: "note", says: other, advice };
    }),
  ];
};

const askSlack: Ask = (config) => {
  const service = "Slack";
  const { webhookUrl } = config.slack;
  if (webhookUrl === null) {
    return Promise.resolve([
      {
        service,
        state: "note",
        says: "SLACK_WEBHOOK_URL is not set: messages are logged instead",
        advice: null,
      },
    ]);
  }
  const { hostname, pathname } = new URL(webhookUrl);
  const isWellFormed = /^\/services\/[^/]+\/[^/]+\/[^/]+$/.test(pathname);
  return Promise.resolve([
    isWellFormed
      ? {
          service,
          state: "ok",
          says: `the webhook at ${hostname} is well-formed`,
          advice: "`hdash-util slack` sends a test message.",
        }
      : {
          service,
          state: "bad",
          says: `the webhook at ${hostname} is not of the form /services/T…/B…/…`,
          advice: "Copy the incoming webhook's whole address from Slack's app settings.",
        },
  ]);
};
