// A look-alike Azul, the HCA data browser's service: projects with their matrices, page by page, and files that are made ready on demand.

import { randomBytes } from "node:crypto";

import { startFileService } from "../../../lookalikes/fileService.ts";
import type { FileCounts } from "../../../lookalikes/fileStore.ts";
import {
  checkQuery,
  type RouteRule,
  type ServiceAnswer,
  type ServiceRequest,
  WrongRequest,
} from "../../../lookalikes/jsonService.ts";
import {
  answerOf,
  type AzulFaults,
  type AzulRoute,
  checkCatalog,
  type Listing,
  MAX_SIZE,
  newPage,
  oldPage,
  sorted,
} from "./azulPages.ts";
import type { AzulProject } from "./azulProjects.ts";

export interface AzulServerOptions {
  readonly projects: readonly AzulProject[];
  /** The most hits on a page, whatever is asked for: small here, so that a test has pages. */
  readonly pageSize?: number;
  /** The one catalog there is; it is the default one too. */
  readonly catalog?: string;
  /** Refuses requests that leave the catalog to the service. */
  readonly needsCatalog?: boolean;
  /** How often a file is being prepared before it is ready, and how long to wait each time. */
  readonly preparing?: number;
  readonly retryAfterSeconds?: number;
  readonly host?: string;
  /** 0 or none: any free port. */
  readonly port?: number;
  /** The clock by which signed addresses expire: milliseconds since the epoch. */
  readonly now?: () => number;
  readonly faults?: AzulFaults;
}

export interface AzulServer {
  /** The base address, without a slash at the end; the older Azul's pages lie below it too. */
  readonly url: string;
  /** Requests so far by route; those of the file store as it counts them; and those that came before Retry-After was over. */
  readonly requests: Readonly<Record<AzulRoute | "unknown" | "early", number> & FileCounts>;
  /** One sentence for each request that the real services would not take. */
  readonly wrong: readonly string[];
  /** Replaces all faults, and counts their occasions from the start. */
  setFaults(faults: AzulFaults): void;
  /** Replaces what there is to list, as if somebody had published. */
  setProjects(projects: readonly AzulProject[]): void;
  close(): Promise<void>;
}

const ROUTES: readonly RouteRule<AzulRoute>[] = [
  ["projects", "GET", /^\/index\/projects$/],
  ["oldProjects", "GET", /^\/repository\/projects\/?$/],
  ["repositoryFile", "GET", /^\/repository\/files\/([^/]+)$/],
];
/** A file that is being prepared, as the token in its address stands for it. */
interface Preparation {
  readonly uuid: string;
  readonly step: number;
  readonly notBefore: number;
}

/** Starts the service and its file store on loopback. */
export async function startAzul(options: AzulServerOptions): Promise<AzulServer> {
  const { catalog = "dcp50", pageSize = MAX_SIZE, now = Date.now } = options;
  const { preparing = 0, retryAfterSeconds = 0 } = options;
  const listing: Listing = {
    catalog,
    needsCatalog: options.needsCatalog === true,
    pageSize,
    url: () => service.url,
    projects: sorted(options.projects),
    occasions: () => service.occasions,
  };
  let early = 0;
  const preparations = new Map<string, Preparation>();

  function repositoryFile({ parts, query, route }: ServiceRequest<AzulRoute>): ServiceAnswer {
    const [uuid = ""] = parts;
    checkQuery(query, ["catalog", "version", "fileName", "wait", "requestIndex", "token"]);
    checkCatalog(listing, query);
    const version = query.get("version");
    const file = listing.projects
      .flatMap(({ matrices, contributedAnalyses }) => [...matrices, ...contributedAnalyses])
      .find((one) => one.uuid === uuid && (version === null || one.version === version));
    if (file === undefined) {
      throw new WrongRequest(
        404,
        `Unable to find file '${uuid}', version ${version} in catalog '${catalog}'`,
      );
    }
    const token = query.get("token");
    const done = token === null ? null : preparations.get(token);
    if (done === undefined || (done !== null && done.uuid !== uuid)) {
      throw new WrongRequest(400, "Invalid token given");
    }
    const isEarly = done !== null && now() < done.notBefore;
    if (isEarly) early++;
    const step = done === null ? 0 : isEarly ? done.step : done.step + 1;
    if (step < preparing || service.occasions.strikes("neverReady", route)) {
      const next = randomBytes(12).toString("hex");
      // A little less than was asked for: clocks of two processes tick differently.
      preparations.set(next, { uuid, step, notBefore: now() + retryAfterSeconds * 1000 - 20 });
      const again = { catalog, version: file.version, requestIndex: String(step + 1), token: next };
      return answerOf({}, 301, {
        location: `${service.url}/repository/files/${uuid}?${new URLSearchParams(again).toString()}`,
        "retry-after": String(retryAfterSeconds),
      });
    }
    return answerOf({}, 302, { location: service.addressOf(file.path, file.name) });
  }

  const service = await startFileService<AzulRoute, AzulFaults>({
    host: options.host,
    port: options.port,
    faults: options.faults ?? {},
    isSigned: true,
    now,
    routes: ROUTES,
    answer: (request) => {
      if (request.route === "projects") return newPage(listing, request);
      return request.route === "oldProjects" ? oldPage(listing, request) : repositoryFile(request);
    },
    errorBody: (status, message) => ({
      Code:
        status === 404 ? "NotFoundError" : status < 500 ? "BadRequestError" : "ChaliceViewError",
      Message: message,
    }),
  });

  return {
    url: service.url,
    get requests() {
      return { ...service.requests, early };
    },
    get wrong() {
      return service.wrong;
    },
    setFaults: (faults) => service.setFaults(faults),
    setProjects(next) {
      listing.projects = sorted(next);
    },
    close: () => service.close(),
  };
}
