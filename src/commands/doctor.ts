// `hdash doctor`: asks every configured service one small question and says for each what to do.

import { makeEffects } from "../effects.ts";
import { HdashError, messageOf } from "../error.ts";
import { count } from "../format.ts";
import { SILENT } from "../log.ts";
import { IMPATIENT } from "../retry.ts";
import type { Config } from "../settings/config.ts";
import { placesOf } from "../settings/namespace.ts";
import { EXIT, type Shell } from "../shell.ts";

/** How one service answered. */
interface Diagnosis {
  readonly service: string;
  readonly state: "ok" | "note" | "bad";
  readonly says: string;
  /** What to do; null where nothing is to be done. */
  readonly advice: string | null;
}

/** Examines every service, prints a line for each, and returns 0 where all is well, 1 where something is broken. */
export async function examine(shell: Shell): Promise<number> {
  // A missing token is a diagnosis here, not a reason to stop; malformed variables still stop with exit 2.
  const config = shell.config([]);
  const effects = makeEffects(config, SILENT, { policy: IMPATIENT });
  const found: Diagnosis[] = [];
  try {
    // All at once, told in order: what does not answer takes its time.
    const asked = [
      askSynapse,
      askDatabase,
      askBucket,
      askWebsite,
      askArtifacts,
      askMatrices,
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

const askSynapse: Ask = async (config, effects, signal) => {
  const service = "Synapse";
  const { token, user, endpoint, masterView } = config.synapse;
  if (token === null && !config.given.dashboard && config.given.matrices) {
    const says = "no SYNAPSE_… variable is set: the dashboard is not made, only matrix figures";
    return [{ service, state: "note", says, advice: null }];
  }
  if (token === null) {
    return [
      {
        service,
        state: "bad",
        says: "SYNAPSE_PASSWORD is not set",
        advice:
          "Make a personal access token in Synapse with the scopes view and download, and set it.",
      },
    ];
  }
  const synapse = await effects.synapse();
  const answers: Diagnosis[] = [];
  const who = await attempt(service, `${endpoint} as the token's owner`, async () => {
    const { userName } = await synapse.whoAmI(signal);
    if (user !== null && user !== userName) {
      return {
        service,
        state: "note",
        says: `the token belongs to ${userName}, but SYNAPSE_USER is ${user}`,
        advice: "Set SYNAPSE_USER to the token's owner, or use the other user's token.",
      };
    }
    return {
      service,
      state: "ok",
      says: `${endpoint} took the token of ${userName}`,
      advice: null,
    };
  });
  answers.push(who);
  if (who.state === "bad") return answers;
  answers.push(
    await attempt(service, `view ${masterView}`, async () => {
      const state = await synapse.viewState(masterView, "type = 'file'", signal);
      return {
        service,
        state: "ok",
        says: `view ${masterView} is readable: ${count(state.count, "file")}`,
        advice: null,
      };
    }),
  );
  return answers;
};

const askDatabase: Ask = async (_config, effects) => {
  const service = "Database";
  return [
    await attempt(service, "the database", async () => {
      const database = await effects.database();
      const { listAtlases } = await import("../jobs/htan/registry/atlasTable.ts");
      const atlases = await listAtlases(database.db);
      const says = `${database.describe()} is reachable and migrated; ${count(atlases.length, "atlas", "atlases")} registered`;
      return atlases.length > 0
        ? { service, state: "ok", says, advice: null }
        : {
            service,
            state: "note",
            says,
            advice:
              "Run `hdash-util init` to register the atlases; the first run does it from the bundled list.",
          };
    }),
  ];
};

const askBucket: Ask = async (_config, effects, signal) => {
  const service = "Site";
  return [
    await attempt(service, "the bucket", async () => {
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
      return {
        service,
        state: "ok",
        says: `${bucket.uri} can be written and cleaned`,
        advice: null,
      };
    }),
  ];
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
    await attempt(service, siteUrl, async () => {
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
    await attempt(service, `s3://${workBucket}`, async () => {
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

const askMatrices: Ask = async ({ matrix }, effects, signal) => {
  const service = "Matrices";
  if (matrix === null) return [];
  const answers = [
    await attempt(service, `the source of matrices (${matrix.source.kind})`, async () => {
      const { openSource } = await import("../jobs/matrix/bind.ts");
      const source = await openSource(effects, matrix);
      const { entries, skips } = await source.list(signal, { isWanted: () => false });
      const says = `${source.label} lists ${count(entries.length, "matrix", "matrices")}; ${skips.length} that cannot be read`;
      return entries.length > 0
        ? { service, state: "ok", says, advice: null }
        : { service, state: "note", says, advice: "Check MATRIX_SOURCE and what goes with it." };
    }),
  ];
  const { targetBucket } = matrix;
  if (targetBucket !== null) {
    answers.push(
      await attempt(service, `s3://${targetBucket}`, async () => {
        const bucket = await effects.openBucket(targetBucket, { isPublicRead: false });
        for await (const _object of bucket.list(signal)) break;
        return { service, state: "ok", says: `${bucket.uri} can be listed`, advice: null };
      }),
    );
  }
  return answers;
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

/** Where a service is said to be. */
const VARIABLES_OF: Readonly<Record<string, string>> = {
  Synapse: "SYNAPSE_ENDPOINT_URL",
  Database: "HDASH_DB_HOST and HDASH_DB_PORT",
  Site: "S3_ENDPOINT_URL, S3_REGION and S3_BUCKET_NAME, or HDASH_SITE_DIR",
  Website: "S3_WEB_SITE_URL",
  Artifacts: "HDASH_WORK_BUCKET, S3_ENDPOINT_URL and S3_REGION",
  Matrices: "MATRIX_…",
};

/** Turns an error into a diagnosis, with the error's own hint as advice. */
async function attempt(
  service: string,
  subject: string,
  ask: () => Promise<Diagnosis>,
): Promise<Diagnosis> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HdashError && error.kind === "aborted") throw error;
    const hint = error instanceof HdashError ? error.hint : null;
    return {
      service,
      state: "bad",
      says: `${subject}: ${messageOf(error)}`,
      advice:
        hint ??
        `Check ${VARIABLES_OF[service] ?? "its variables"}, and that it can be reached from here.`,
    };
  }
}
