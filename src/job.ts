// What a job is to the rest of the house: its name, its settings, how it is deployed and asked for, and how it is bound to the world.

import type { Command } from "commander";

import type { Digest, Json } from "./digest.ts";
import type { Effects } from "./effects.ts";
import type { Budget } from "./engine/budget.ts";
import { json, observation, type Pipeline } from "./engine/step.ts";
import { HdashError, messageOf } from "./error.ts";
import type { Publisher } from "./publish/site.ts";
import type { Menu, Place } from "./render/page.ts";
import type { Environment, Need } from "./settings/config.ts";
import type { JobSettings } from "./settings/jobSettings.ts";
import type { Shell } from "./shell.ts";
import type { CodeListing } from "./store/codeListings.ts";

/** What a command asks of a run. */
export interface JobRequest {
  /** Names of scopes; null: all. */
  readonly scopes: readonly string[] | null;
  /** True where the user insists. */
  readonly force?: boolean;
}

/** A pipeline bound to its parameters and to what it uses of the world, ready to be executed. */
export interface BoundPipeline {
  readonly pipeline: Pipeline<Json>;
  readonly params: Json;
  /** Null where nothing that it makes is public. */
  readonly publisher: Publisher | null;
  /** Where people see its pages; null where nobody said. */
  readonly siteUrl: string | null;
  /**
   * Puts pages of a run that has ended where people see them, and gives their address, null where nobody said. Missing: what there is to see,
   * its plan has published.
   */
  readonly publishRun?: (runId: string, signal: AbortSignal) => Promise<string | null>;
  /** From what a run can be begun again, where the pipeline is none of hdash's own: kept with the run. */
  readonly origin?: Json;
  /** Opens what a run of it may cost, where somebody has said. */
  readonly budget?: (runId: string) => Promise<Budget>;
  /** True where its settings insist that every step is done again. */
  readonly isForced?: boolean;
  /** Names of steps that are done again, whatever is known. */
  readonly forcedSteps?: readonly string[];
  /** What digests of code are of, for people who ask what has changed. */
  readonly listings?: ReadonlyMap<Digest, CodeListing>;
  /** True where bytes of what its steps give may go when a run has ended well. */
  readonly hasTemporary?: boolean;
}

/** What a job puts into the menu of the site that it publishes to; paths are from the site's root. */
export interface JobPages {
  /** What the site is called where this job's first page is that of the site. */
  readonly brand: string;
  /** True where none of its pages is of a scope: it has something to show as soon as it has any. */
  readonly isOfNoScope?: true;
  readonly places: readonly [first: Place, ...more: Place[]];
}

/** Below it lie pages of users' pipelines, each in a folder of its own. */
export const PIPELINES_FOLDER = "pipelines/";

/** What users' pipelines have in the menu together. */
export const PIPELINES: JobPages = {
  brand: "Pipelines",
  places: [{ label: "Pipelines", path: `${PIPELINES_FOLDER}index.html` }],
};

/** The address of a job's first page where people see the site at `siteUrl`; null where nobody said. */
export function pagesUrl({ places: [first] }: JobPages, siteUrl: string | null): string | null {
  if (siteUrl === null) return null;
  const index = /\/index\.html$/.test(siteUrl) ? siteUrl : `${siteUrl.replace(/\/*$/, "")}/`;
  return new URL(first.path, index).href;
}

/**
 * Makes the menu of a site (a publisher's name of it) as the pages of the job show it that asks: of all jobs that have something there, or
 * are about to. Another run may change what is there at any time, so a plan asks in every run.
 */
export type ReadMenu = (site: string) => Promise<Menu>;

/** Makes the step by which a plan asks for the menu of its site. */
export function makeMenuStep(read: () => Promise<Menu>) {
  return observation({
    name: "readMenu",
    outputs: { menu: json<Menu>() },
    read: async (_params: null) => ({ menu: await read() }),
  });
}

/** One of several times at which a job's task begins, with what it is told then. */
export interface NamedSchedule {
  /** One lower-case word, by which a stage's settings change it. */
  readonly name: string;
  /** When it begins, in UTC, as EventBridge Scheduler takes it: cron(minutes hours day month weekday year). */
  readonly schedule: string;
  /** What stands behind `hdash run NAME`. */
  readonly options: readonly string[];
}

/** A variable that names a place of the job's own: a stage has a private bucket for each, of which a namespace has the folder of its name. */
export interface PrivatePlace {
  readonly variable: string;
  /** Whether what was overwritten or deleted can be fetched back for a while: of no use where all of it can be made again. */
  readonly keepsVersions: boolean;
}

/** How a job runs in a deployment: a container of its own, on a schedule of its own. */
export interface Deployment {
  /** When it begins, in UTC, as EventBridge Scheduler takes it: cron(minutes hours day month weekday year); or several such times. */
  readonly schedule: string | readonly NamedSchedule[];
  /** Hours after which an alarm says that no run has ended; more than lie between two runs, with the time one takes. */
  readonly lateAfterHours: number;
  /** Units of a vCPU, 1024 each. */
  readonly cpu: 256 | 512 | 1024 | 2048 | 4096;
  readonly memoryMiB: number;
  /** The container's disk, at least 21. */
  readonly diskGiB: number;
  /** Secret variables that it gets by reference; the database's come from the database itself. */
  readonly secrets: readonly string[];
  /** Tells whether it has a use for one of its secrets with these variables; without it, always. */
  usesSecret?(name: string, variables: Readonly<Record<string, string>>): boolean;
  /** Variables that it is for; a stage's settings may add to them and change them. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variables that a stage has to set before there is anything for it to do: it is off where one of them is missing. */
  readonly requires?: readonly string[];
  readonly privatePlaces?: readonly PrivatePlace[];
  /** Variables whose value may be s3://bucket/prefix: of that it reads what lies below the name of its namespace. */
  readonly readPlaces?: readonly string[];
  /** Names what it reads from the internet with these variables; null where it makes do with S3 of its region. */
  reads(variables: Readonly<Record<string, string>>): string | null;
  /** Variables of its own that a stage must not set, each with the reason. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** A flag of `hdash run NAME`: it stands for variables, or names scopes. */
export type JobOption = {
  /** As commander takes it, e.g. "--path <dir>". */
  readonly flags: string;
  readonly description: string;
} & (
  | { readonly variables: readonly string[]; readonly choices?: readonly string[] }
  | {
      /** Says what is wrong with a scope's name as the user wrote it; null where nothing is. Names may be separated by commas. */
      readonly scopeProblem: (name: string) => string | null;
    }
);

/** Flags of a job's runs that no variable stands for. */
export interface OwnFlags {
  readonly flags: readonly { readonly flags: string; readonly description: string }[];
  /** Takes what was said, before the settings are read. Throws usage where it makes no sense. */
  take(said: SaidFlags): Promise<void>;
}

export interface SaidFlags {
  /** By what commander makes of a flag's name, e.g. "dryRun". */
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of steps that --force was given. */
  readonly forced: readonly string[];
  /** Variables that flags of the command line stand for. */
  readonly given: readonly string[];
}

/** A command line, and what it does, as the help of hdash shows them. */
export type Example = readonly [command: string, says: string];

/** Runs the job once with variables that the command line stands for, and returns the exit code; `flags` are what the user wrote for them. */
export type RunJob = (
  overrides: Environment,
  flags?: Readonly<Record<string, string>>,
) => Promise<number>;

/** A run that is to be begun again whose pipeline is none of hdash's own. */
export interface RunToOpen {
  readonly id: string;
  readonly pipeline: string;
  readonly params: Json;
  readonly origin: Json;
}

/** Makes the job of such a run, with the values that the run was given: those of the environment do not count. Throws usage where it cannot. */
export type OpenRunJob = (run: RunToOpen, names: readonly string[]) => Promise<Job>;

/** How one service answered the doctor. */
export interface Diagnosis {
  readonly service: string;
  readonly state: "ok" | "note" | "bad";
  readonly says: string;
  /** What to do; null where nothing is to be done. */
  readonly advice: string | null;
}

/** A job's part of the demo: what its look-alikes serve, and the days that its story has. */
export interface DemoPart {
  /** The environment by which the job finds its look-alikes. */
  readonly variables: Environment;
  /** Days of the story, its last ones where others have more; null where there is one run of whatever day it is. */
  readonly days: number | null;
  /** Sets the stage for a day of its own, from 1, before its run. */
  prepare?(effects: Effects, day: number): Promise<void>;
  /** The result of which the demo tells why it was made; before each run after the first it tells what that would do. */
  readonly explains?: string;
  /** What people may look at when the demo is over: `variables` name no look-alike, so that commands of hdash work with them then, too. */
  readonly afterwards?: { readonly says: string; readonly commands: readonly string[] };
  close(): Promise<void>;
}

export interface Demo {
  /** A flag by which the user gives data of their own, e.g. "--world <dir>". */
  readonly option?: { readonly flags: string; readonly description: string };
  /** Throws usage where what the user gave cannot be used. */
  check?(own: string): Promise<void>;
  /**
   * Starts what the job's part needs; null where it has no part this time.
   * @param home folder for what is made. @param own what the option said. @param isBundled true where nobody gave data of their own to any job.
   */
  start(home: string, own: string | null, isBundled: boolean): Promise<DemoPart | null>;
}

/** A file of config/ that a deployment may have in a version of its own; a pattern stands for as many as there are. */
export interface ConfigFile {
  readonly path: string | RegExp;
  /** Throws where hdash could not read it; `has` tells which files lie beside it, `read` gives the text of one (null: there is none). */
  check(
    text: string,
    file: {
      readonly path: string;
      readonly has: (path: string) => boolean;
      readonly read: (path: string) => string | null;
    },
  ): void;
}

/** A job. Everything about it lies in its folder below src/jobs; the rest of the house knows it by this alone. */
export interface Job<S = unknown> {
  /** One lower-case word; it names the pipeline, too. */
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  /** What it calls a scope. */
  readonly scopeNoun: readonly [one: string, many: string];
  /** Its pages in the menu of every page of its site; null where it has none. */
  readonly pages: JobPages | null;
  /** What it needs of the shared settings. */
  readonly needs: readonly Need[];
  readonly settings: JobSettings<S>;
  readonly deployment: Deployment;
  readonly options: readonly JobOption[];
  /** True for a pipeline of a user's own: what is told of it is told of its steps. */
  readonly isUsers?: boolean;
  /** With these, --force may be given the names of steps. */
  readonly ownFlags?: OwnFlags;
  /** Its part of the examples that `hdash --help` shows. */
  readonly examples?: readonly Example[];
  /** True for the one that a run of everything asks for where the environment is for no job at all. */
  readonly isAskedByDefault?: boolean;
  bind(
    effects: Effects,
    settings: S,
    request: JobRequest,
    readMenu: ReadMenu,
  ): Promise<BoundPipeline>;
  /** Names the scopes that a run with these params was asked for; without it, or null: all. */
  scopesOf?(params: Json): readonly string[] | null;
  /** Begins, before anything else is loaded, what takes long; what it returns is handed to `commands`. */
  early?(words: readonly string[]): Promise<unknown>;
  /** Adds commands of its own to hdash; `run` makes a run of the job. */
  commands?(program: Command, shell: Shell, early: unknown, run: RunJob): Promise<void>;
  /** Adds commands of its own to hdash-util. */
  utilCommands?(program: Command, shell: Shell): Promise<void>;
  /** Its lines of the doctor; settings are null where the job is not asked for. */
  examine?(
    effects: Effects,
    settings: S | null,
    signal: AbortSignal,
  ): Promise<readonly Diagnosis[]>;
  readonly configFiles?: readonly ConfigFile[];
  readonly demo?: Demo;
}

/** Turns an error into a diagnosis, with the error's own hint as advice; `variables` say where the service is, `isHere` that it is a folder. */
export async function diagnose(
  service: string,
  subject: string,
  variables: string,
  ask: () => Promise<Diagnosis>,
  isHere = false,
): Promise<Diagnosis> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HdashError && error.kind === "aborted") throw error;
    const hint = error instanceof HdashError ? error.hint : null;
    const said = messageOf(error);
    return {
      service,
      state: "bad",
      // What names itself is not named twice.
      says: said.startsWith(`${subject}: `) ? said : `${subject}: ${said}`,
      advice:
        hint ??
        `Check ${variables}, and that ${isHere ? "the folder may be read and written" : "it can be reached from here"}.`,
    };
  }
}
