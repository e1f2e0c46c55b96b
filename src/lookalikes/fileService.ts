// A service that answers in JSON and hands out addresses of files, which lie in a store of its own: two hosts to clients, one to its owner.

import { type FileCounts, type FileStore, startFileStore } from "./fileStore.ts";
import { type ServiceOptions, startService } from "./jsonService.ts";
import {
  type FileFaults,
  type JsonFaults,
  makeOccasions,
  type Occasion,
  type Occasions,
} from "./occasions.ts";

type Faults<F> = JsonFaults & FileFaults & { readonly [K in keyof F]?: Occasion };

export interface FileServiceOptions<R extends string, F extends Faults<F>> extends Pick<
  ServiceOptions<R, F>,
  "routes" | "answer" | "errorBody"
> {
  readonly host?: string | undefined;
  /** 0 or none: any free port. */
  readonly port?: number | undefined;
  readonly faults: F;
  /** Signed addresses end after 15 minutes, by the clock `now`; public ones never do. */
  readonly isSigned: boolean;
  readonly now?: () => number;
}

export interface FileService<R extends string, F extends Faults<F>> {
  /** The service's address, without a slash at the end. */
  readonly url: string;
  /** Requests so far by route, and those of the store as it counts them. */
  readonly requests: Readonly<Record<R | "unknown", number> & FileCounts>;
  /** One sentence for each request that the real services would not take. */
  readonly wrong: readonly string[];
  readonly occasions: Occasions<F>;
  readonly addressOf: FileStore["addressOf"];
  /** Replaces all faults, and counts their occasions from the start. */
  setFaults(faults: F): void;
  close(): Promise<void>;
}

/** Starts the service and its store on loopback. Throws usage where it cannot listen. */
export async function startFileService<R extends string, F extends Faults<F>>(
  options: FileServiceOptions<R, F>,
): Promise<FileService<R, F>> {
  const { host = "127.0.0.1", port = 0, isSigned, now = () => 0 } = options;
  const { routes, answer, errorBody } = options;
  let occasions = makeOccasions(options.faults);
  const store = await startFileStore({ host, isSigned, now, occasions: () => occasions });
  const service = await startService<R, F>({
    ...{ host, port, routes, answer, errorBody },
    occasions: () => occasions,
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  return {
    url: service.url,
    addressOf: (path, name) => store.addressOf(path, name),
    get requests() {
      return { ...service.requests, ...store.counts };
    },
    get wrong() {
      return [...service.wrong, ...store.wrong];
    },
    get occasions() {
      return occasions;
    },
    setFaults(faults) {
      occasions = makeOccasions(faults);
    },
    async close() {
      await Promise.all([service.close(), store.close()]);
    },
  };
}
