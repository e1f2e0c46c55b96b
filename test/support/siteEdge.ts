// CloudFront before a folder, with the headers that the stacks' golden template gives it.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";

import { listen } from "../../src/lookalikes/listen.ts";

/** The template of the base stack, as far as it is of interest here. */
interface BaseTemplate {
  readonly Resources: {
    readonly SecurityHeaders: {
      readonly Properties: {
        readonly ResponseHeadersPolicyConfig: {
          readonly SecurityHeadersConfig: {
            readonly ContentSecurityPolicy: { readonly ContentSecurityPolicy: string };
            readonly FrameOptions: { readonly FrameOption: string };
            readonly ReferrerPolicy: { readonly ReferrerPolicy: string };
          };
        };
      };
    };
  };
}

const TEMPLATE = join(import.meta.dirname, "../../infra/test/golden/prod.base.json");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".sif": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

/** A site that is served; `url` has no slash at its end. */
export interface SiteEdge {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the folder of a site as CloudFront does: its headers with whatever there is, its page for what there is not. */
export async function serveSite(folder: string): Promise<SiteEdge> {
  const headers = readHeaders();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://site").pathname);
    void answer(response, folder, path === "/" ? "/index.html" : path, headers);
  });
  const url = await listen(server, "127.0.0.1", 0);
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function readHeaders(): Readonly<Record<string, string>> {
  const template = JSON.parse(readFileSync(TEMPLATE, "utf8")) as BaseTemplate;
  const { SecurityHeadersConfig: config } =
    template.Resources.SecurityHeaders.Properties.ResponseHeadersPolicyConfig;
  return {
    "content-security-policy": config.ContentSecurityPolicy.ContentSecurityPolicy,
    "x-content-type-options": "nosniff",
    "x-frame-options": config.FrameOptions.FrameOption,
    "referrer-policy": config.ReferrerPolicy.ReferrerPolicy,
  };
}

async function answer(
  response: ServerResponse,
  folder: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const send = (status: number, name: string, body: Uint8Array) => {
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    response.writeHead(status, { ...headers, "content-type": type }).end(body);
  };
  try {
    send(200, path, await readFile(join(folder, normalize(path))));
  } catch {
    // Nobody lists the bucket: a folder is as absent as what never was.
    send(404, "404.html", await readFile(join(folder, "404.html")));
  }
}
