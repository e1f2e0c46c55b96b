// A Postgres server for tests and benchmarks, with a data folder of its own that is gone when it stops.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How to reach a running server. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  /** Folder of the server's programs (pg_dump, psql). */
  readonly bin: string;
}

/** Starts a server on a free loopback port; `stop` ends it and removes its folder. */
export async function startPostgres(): Promise<
  PostgresServer & { readonly stop: () => Promise<void> }
> {
  const bin = await findPrograms();
  // Postgres refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  const call = (program: string, args: readonly string[]) =>
    isRoot
      ? run("runuser", ["-u", "postgres", "--", program, ...args], { cwd: "/" })
      : run(program, [...args], { cwd: "/" });

  const dir = await mkdtemp(join(tmpdir(), "hdash-postgres-"));
  if (isRoot) await run("chown", ["postgres", dir]);
  const data = join(dir, "data");
  const password = crypto.randomUUID();
  const passwordFile = join(dir, "password");
  await writeFile(passwordFile, password);
  await chmod(passwordFile, 0o644);
  await call(join(bin, "initdb"), [
    ...["--pgdata", data, "--username", "hdash", "--pwfile", passwordFile],
    ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
  ]);
  await call("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/CN=hdash test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "7"],
    ...["-keyout", join(data, "server.key"), "-out", join(data, "server.crt")],
  ]);
  const ca = await readFile(join(data, "server.crt"), "utf8");
  const start = async (tries: number): Promise<number> => {
    const port = await findFreePort();
    const settings = [
      ...["listen_addresses=127.0.0.1", `port=${port}`, `unix_socket_directories=${dir}`, "ssl=on"],
      // Nothing of it outlives the tests: a power cut may take it all.
      ...["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"],
    ];
    try {
      await call(join(bin, "pg_ctl"), [
        ...["start", "--wait", "--timeout", "60", "--pgdata", data, "--log", join(dir, "log")],
        ...["--options", settings.map((setting) => `-c ${setting}`).join(" ")],
      ]);
      return port;
    } catch (error) {
      // Somebody else may have taken the port since it was found.
      if (tries <= 1) throw error;
      return start(tries - 1);
    }
  };
  const port = await start(3);
  return {
    host: "127.0.0.1",
    port,
    user: "hdash",
    password,
    ca,
    bin,
    async stop() {
      await call(join(bin, "pg_ctl"), ["stop", "--wait", "--mode", "immediate", "--pgdata", data]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Finds the newest of Debian's servers, or one on the PATH. */
async function findPrograms(): Promise<string> {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? await readdir(root) : [];
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    const bin = join(root, version, "bin");
    if (existsSync(join(bin, "initdb"))) return bin;
  }
  for (const bin of (process.env["PATH"] ?? "").split(":")) {
    if (existsSync(join(bin, "initdb")) && existsSync(join(bin, "pg_ctl"))) return bin;
  }
  throw new Error("no Postgres server is installed; on Debian: apt-get install postgresql");
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
