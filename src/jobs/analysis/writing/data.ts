// A file that lies somewhere, known by its digest: fetched once, and the same wherever it is fetched from.

import { isThisMachine } from "../../../address.ts";
import type { Digest } from "../../../digest.ts";
import { HdashError } from "../../../error.ts";
import type { Handle } from "./handle.ts";
import type { InputFile } from "./values.ts";

/** A file as it was declared. */
export interface DeclaredData {
  readonly kind: "data";
  /** An address of the web, s3://bucket/key, or a path seen from the pipeline's folder. */
  readonly url: string;
  readonly sha256: Digest;
}

const DECLARED = new WeakSet<object>();

/** The declaration behind a value; null for anything else. */
export function dataOf(value: unknown): DeclaredData | null {
  // Only data() adds to the set.
  return typeof value === "object" && value !== null && DECLARED.has(value)
    ? (value as DeclaredData)
    : null;
}

/**
 * A file by its digest, for a plan or as the default of a file() that a pipeline takes.
 * @param url an address with https (http only of this machine), s3://bucket/key, or a path seen from the pipeline's folder.
 */
export function data(url: string, { sha256 }: { readonly sha256: string }): Handle<InputFile> {
  const refuse = (what: string): never => {
    throw new HdashError("usage", `data(${JSON.stringify(url)}) ${what}`);
  };
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    refuse(`has the sha256 ${JSON.stringify(sha256)}, which is not 64 hex digits`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? null;
  if (url === "") refuse("names nothing");
  if (scheme === "s3" && !/^s3:\/\/[^/]+\/.+/i.test(url)) refuse("has no bucket and key");
  if (scheme === "http" || scheme === "https") {
    if (!URL.canParse(url)) refuse("is no address");
    if (scheme === "http" && !isThisMachine(new URL(url).hostname)) {
      refuse("is not encrypted: use https");
    }
  } else if (scheme !== null && scheme !== "s3") refuse("is neither https, s3 nor a path");
  const own: DeclaredData = Object.freeze({
    ...{ kind: "data", url, sha256: sha256.toLowerCase() as Digest },
  });
  DECLARED.add(own);
  return own as unknown as Handle<InputFile>;
}

/** Names where a file lies, without what may be secret in its address. */
export function dataName(url: string): string {
  if (!URL.canParse(url)) return url;
  const own = new URL(url);
  return /^https?:$/.test(own.protocol) ? `${own.origin}${own.pathname}` : url;
}
