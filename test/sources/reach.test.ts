// Where a source may lead. Nothing here is asked but loopback: a connector writes down what would have been.

import type { LookupAddress } from "node:dns";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";

import type { buildConnector } from "undici";
import { describe, expect, test } from "vitest";

import { SILENT } from "../../src/log.ts";
import { type HttpOptions, makeHttp } from "../../src/sources/http.ts";
import { isSafeAddress, NOT_PUBLIC, publicLookup, whyRefused } from "../../src/sources/reach.ts";
import { makeSynapse, type SynapseOptions } from "../../src/sources/synapse.ts";
import { behindTls, QUICK, SECURE_URL } from "../jobs/matrix/sources/rig.ts";
import { failureOf, openHttp, serve, tempDir } from "./rig.ts";

const CASES = join(import.meta.dirname, "../fixtures/cases/security");
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "files.example": ["93.184.215.14"],
  "inside.example": ["10.0.0.7"],
  "mixed.example": ["93.184.215.14", "169.254.169.254"],
  "six.example": ["fd00:ec2::254"],
  "loop.example": ["127.0.0.1"],
};

/** A client that resolves by NAMES and connects to nothing that came from data: it writes down what it would have. */
function recorder(): { readonly options: HttpOptions; readonly dialled: readonly string[] } {
  const dialled: string[] = [];
  const options: HttpOptions = {
    resolve(hostname, done) {
      const addresses = (NAMES[hostname] ?? []).map((address): LookupAddress => ({
        address,
        family: address.includes(":") ? 6 : 4,
      }));
      done(null, addresses);
    },
    connectorOf:
      (connecting = {}) =>
      (target: buildConnector.Options, done: buildConnector.Callback) => {
        const lookup = "lookup" in connecting ? connecting.lookup : undefined;
        lookup?.(target.hostname, { all: true }, (error, addresses) => {
          if (error !== null) return void done(error, null);
          for (const { address } of addresses as readonly LookupAddress[]) {
            dialled.push(`${target.protocol}//${target.hostname} at ${address}`);
          }
          done(new Error("written down"), null);
        });
      },
  };
  return { options, dialled };
}

describe("whyRefused(address, endpoint)", () => {
  const AZUL = "https://service.example.org/api";

  test.each([
    "https://files.example/a?signature=1",
    "https://93.184.215.14/a",
    "https://[2606:4700::1111]/a",
    "https://service.example.org/other",
  ])("lets %s pass", (address) => {
    expect(whyRefused(address, AZUL)).toBeNull();
    expect(isSafeAddress(address, AZUL)).toBe(true);
  });

  test.each([
    ["http://files.example/a", "it is not encrypted (http)"],
    ["http://service.example.org/", "it is not encrypted (http)"],
    ["ftp://files.example/a", "it is not one of the web"],
    ["file:///etc/passwd", "it is not one of the web"],
    ["data:text/csv,a", "it is not one of the web"],
    ["a b", "it is no address"],
    ["https://user:pw@files.example/a", "it has a user in it"],
    ["https://10.0.0.7/internal", "it is in a private network"],
    ["https://169.254.169.254/latest/meta-data/", "it is in a private network"],
    ["https://[fd00:ec2::254]/", "it is in a private network"],
    ["https://[::ffff:10.0.0.1]/", "it is in a private network"],
    ["https://0x0a000001/", "it is in a private network"],
    ["https://167772161/", "it is in a private network"],
    ["http://127.0.0.1:8080/latest/meta-data/", "it is on the machine that hdash runs on"],
    ["https://localhost/", "it is on the machine that hdash runs on"],
    ["https://localhost./", "it is on the machine that hdash runs on"],
    ["https://[::1]/", "it is on the machine that hdash runs on"],
    ["https://127.1/", "it is on the machine that hdash runs on"],
  ])("refuses %s: %s", (address, why) => {
    expect(whyRefused(address, AZUL)).toBe(why);
  });

  test("takes the endpoint as it is configured, and what is on its own machine where that is this one", () => {
    expect(whyRefused("http://10.1.2.3:9000/a", "http://10.1.2.3:9000")).toBeNull();
    expect(whyRefused("http://10.1.2.3:9001/a", "http://10.1.2.3:9000")).toBe(
      "it is not encrypted (http)",
    );
    expect(whyRefused("http://127.0.0.1:9001/a", "http://127.0.0.1:9000")).toBeNull();
    expect(whyRefused("https://10.0.0.7/a", "http://127.0.0.1:9000")).toBe(
      "it is in a private network",
    );
  });
});

describe("a client, led to a name", () => {
  test("connects to the address that it looked at, where that is everybody's", async () => {
    const { options, dialled } = recorder();
    const url = "https://files.example/a";
    const asked = openHttp(options).json({ subject: "it", url, endpoint: "https://a.example" });
    expect((await failureOf(asked)).message).toContain("written down");
    expect(dialled).toEqual(["https://files.example at 93.184.215.14"]);
  });

  test.each(["inside.example", "mixed.example", "six.example", "loop.example"])(
    "connects to nothing behind %s",
    async (name) => {
      const { options, dialled } = recorder();
      const url = `https://${name}/secret-signature`;
      const asked = openHttp(options).json({ subject: "it", url, endpoint: "https://a.example" });
      expect(await failureOf(asked)).toMatchObject({
        kind: "permanent",
        message: "it: the address that it leads to is not asked: it is in a private network",
      });
      expect(dialled).toEqual([]);
    },
  );

  test("has no credentials for another host than the service's own", async () => {
    const { options, dialled } = recorder();
    for (const name of ["authorization", "Cookie"]) {
      const asked = openHttp(options).json({
        subject: "it",
        url: "https://files.example/a",
        endpoint: "https://a.example",
        headers: { [name]: "secret" },
      });
      expect((await failureOf(asked)).message).toBe(
        "it: credentials are for the service itself alone",
      );
    }
    expect(dialled).toEqual([]);
  });

  test("asks the system where nobody says otherwise", async () => {
    const code = await new Promise((resolve) => {
      publicLookup()("localhost", { all: true }, (error) => {
        resolve(error?.code ?? null);
      });
    });
    expect(code).toBe(NOT_PUBLIC);
  });
});

describe("a manifest whose file handle leads elsewhere", () => {
  /** An https Synapse that says this of every file handle; what is not of it is written down and not asked. */
  async function open(
    handles: unknown,
    more: Partial<SynapseOptions> = {},
    content: (response: ServerResponse) => void = () => undefined,
  ) {
    const url = await serve((request, response) => {
      if (request.url === "/endless") return content(response);
      response.setHeader("content-type", "application/json");
      const isHandle = request.url === "/file/v1/fileHandle/batch";
      const entity = {
        id: "syn111",
        concreteType: "org.sagebionetworks.repo.model.FileEntity",
        name: "a.csv",
        etag: "1",
        modifiedOn: "2026-11-01T00:00:00.000Z",
        dataFileHandleId: "9",
      };
      response.end(JSON.stringify(isHandle ? handles : entity));
    });
    const { options, dialled } = recorder();
    const http = makeHttp(options);
    const client = makeSynapse({
      ...{ endpoint: SECURE_URL, token: "secret", http: behindTls(http, url), log: SILENT },
      ...{ policy: QUICK, pollMs: { first: 1, max: 1 } },
      ...more,
    });
    const dir = await tempDir();
    const failure: unknown = await client.download("syn111", null, join(dir, "a")).then(
      () => null,
      (error: unknown) => error,
    );
    await http.close();
    return { failure, dialled, left: await readdir(dir) };
  }
  const read = (file: string): unknown => JSON.parse(readFileSync(join(CASES, file), "utf8"));

  test.each([
    ["any-http", "it is not encrypted (http)"],
    ["loopback-http", "it is on the machine that hdash runs on"],
    ["metadata-http", "it is not encrypted (http)"],
    ["private-https", "it is in a private network"],
  ])("is not asked for (%s)", async (name, why) => {
    const { failure, dialled, left } = await open(read(`synapse-external-address/${name}.json`));
    expect(failure).toMatchObject({
      kind: "permanent",
      message: `Synapse download of syn111: the address that it leads to is not asked: ${why}`,
      publicly: `the content of syn111 is stored elsewhere, at an address that is not asked: ${why}`,
      lacking: "syn111",
    });
    expect([dialled, left]).toEqual([[], []]);
  });

  test.each([
    ["ftp://files.example/manifest.csv", "it is not one of the web"],
    ["files.example/manifest.csv", "it is no address"],
  ])("is not asked for at %s, which is a matter of that manifest alone", async (url, why) => {
    const { failure, dialled } = await open({
      requestedFiles: [{ fileHandleId: "9", preSignedURL: url, fileHandle: { id: "9" } }],
    });
    expect(failure).toMatchObject({
      kind: "permanent",
      publicly: `the content of syn111 is stored elsewhere, at an address that is not asked: ${why}`,
      lacking: "syn111",
    });
    expect(dialled).toEqual([]);
  });

  test("is not asked for behind a name that leads inside", async () => {
    const { failure, dialled } = await open({
      requestedFiles: [
        { fileHandleId: "9", preSignedURL: "https://inside.example/a", fileHandle: { id: "9" } },
      ],
    });
    expect(failure).toMatchObject({ kind: "permanent", lacking: "syn111" });
    expect(dialled).toEqual([]);
  });

  test("is not begun where it says that it is longer than anything that is read", async () => {
    const { failure, dialled, left } = await open(
      read("synapse-endless-content/fileHandleHuge.json"),
    );
    expect(failure).toMatchObject({
      kind: "permanent",
      message:
        "Synapse download of syn111: its file handle says 1099511627776 bytes, of which 250 MB are read at most",
      publicly: "the content of syn111 is too long: 250 MB are read at most",
      lacking: "syn111",
    });
    expect([dialled, left]).toEqual([[], []]);
  });

  test("is broken off where it does not end, and nothing is left of it", async () => {
    let isOver = (): void => undefined;
    const over = new Promise<void>((resolve) => (isOver = resolve));
    const { failure, left } = await open(
      {
        requestedFiles: [
          { fileHandleId: "9", preSignedURL: `${SECURE_URL}/endless`, fileHandle: { id: "9" } },
        ],
      },
      { maxBytes: { file: 10_000 } },
      (response) => {
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(1000), () => setImmediate(more));
        };
        response.on("close", isOver);
        more();
      },
    );
    expect(failure).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(
        /^Synapse download of syn111: the content goes on after \d{1,5} bytes, of which 10.0 kB are read at most$/,
      ) as string,
      publicly: "the content of syn111 is too long: 10.0 kB are read at most",
      lacking: "syn111",
    });
    expect(left).toEqual([]);
    // The server is let go of, too.
    await over;
  });
});
