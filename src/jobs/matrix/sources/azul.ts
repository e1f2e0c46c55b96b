// Azul, the service behind the HCA's data browser, as a source of matrices: one file for each project and species.

import { byLargest, type MatrixListing, type MatrixSource } from "../source.ts";
import { azulEntries } from "./azulEntries.ts";
import { type AzulListOptions, type AzulProject, listAzulProjects } from "./azulProjects.ts";
import { fetchEntry, type HeldMatrix, type MatrixSourceOptions } from "./matrixCalls.ts";

export interface AzulOptions extends MatrixSourceOptions {
  /** e.g. "https://service.azul.data.humancellatlas.org". */
  readonly baseUrl: string;
  /** e.g. "dcp50"; null: the service's default. */
  readonly catalog: string | null;
  /** Where a project's page for people is, without the id; null: nowhere. Default: the HCA's browser, for the HCA's own Azul. */
  readonly portalUrl?: string | null;
  readonly pageSize?: number;
}

/** Makes the source over today's Azul (/index/projects, paged by pagination.next). */
export function makeAzulSource(options: AzulOptions): MatrixSource {
  return makeSource(options, "today");
}

/** Makes the source over the older Azul (/repository/projects/, paged by search_after), which has no catalogues. */
export function makeOldAzulSource(options: Omit<AzulOptions, "catalog">): MatrixSource {
  return makeSource({ ...options, catalog: null }, "older");
}

/** Reads titles and approaches of all projects, by id: what the matrix service does not know. */
export async function azulDescriptions(
  options: AzulListOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Pick<AzulProject, "title" | "approaches">>> {
  const { projects } = await listAzulProjects(options, signal);
  return new Map(
    projects.map(({ projectId, title, approaches }) => [projectId, { title, approaches }]),
  );
}

function makeSource(options: AzulOptions, generation: AzulListOptions["generation"]): MatrixSource {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const { portalUrl = portalOf(baseUrl), catalog } = options;
  return {
    kind: "fresh",
    label: ["Azul", catalog].filter((word) => word !== null).join(" "),
    async list(signal): Promise<MatrixListing> {
      const listed = await listAzulProjects({ ...options, baseUrl, generation }, signal);
      const made = listed.projects.map((project) => azulEntries(project, { baseUrl, portalUrl }));
      return {
        entries: made.flatMap(({ entries }) => entries).sort(byLargest),
        skips: [...listed.skips, ...made.flatMap(({ skips }) => skips)],
      };
    },
    blacklist: async (signal) => (await options.blacklist?.(signal)) ?? null,
    pull: (entry, dir, fetching): Promise<HeldMatrix> =>
      fetchEntry(options, entry, dir, async () => entry.locator, fetching),
  };
}

function portalOf(baseUrl: string): string | null {
  const isPublic = /^service\.(azul|explore)\.data\.humancellatlas\.org$/.test(
    new URL(baseUrl).host,
  );
  return isPublic ? "https://explore.data.humancellatlas.org/projects/" : null;
}
