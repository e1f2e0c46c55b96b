// Keeps every test on this machine: a connection to any other host fails loudly, here and in the Node processes that a test starts.
// Also clears hdash's own variables, so that a developer's settings never reach a test.

import { Socket } from "node:net";

/** Tells whether an address is this machine's own: a loopback address, its name, or the unspecified address. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    bare === "" ||
    bare === "localhost" ||
    bare.endsWith(".localhost") ||
    bare === "::1" ||
    bare === "::" ||
    bare === "0.0.0.0" ||
    /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare)
  );
}

/** Finds the host among the arguments of Socket.connect; null for a Unix socket or this machine by default. */
export function hostOf(args: readonly unknown[]): string | null {
  // net.connect passes its arguments on as one array.
  const list: readonly unknown[] = Array.isArray(args[0]) ? args[0] : args;
  const [first, second] = list;
  if (typeof first === "object" && first !== null) {
    if ("path" in first && typeof first.path === "string") return null;
    return "host" in first && typeof first.host === "string" ? first.host : null;
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return null;
  return typeof second === "string" ? second : null;
}

/** Where the guard keeps what it stands before: files that share a process set it up once each. */
const UNGUARDED = Symbol.for("hdash.unguardedConnect");
const connect = (Reflect.get(Socket.prototype, UNGUARDED) ??
  Reflect.get(Socket.prototype, "connect")) as (...args: unknown[]) => Socket;
Reflect.set(Socket.prototype, UNGUARDED, connect);

Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  const host = hostOf(args);
  if (host !== null && !isLoopback(host)) {
    const error = new Error(`a test tried to connect to ${host}; tests stay on this machine`);
    process.nextTick(() => this.destroy(error));
    return this;
  }
  return connect.apply(this, args);
};

// The first process of a test only: what it then gives its children in their environment is meant.
const load = `--import=${import.meta.url}`;
const options = process.env["NODE_OPTIONS"] ?? "";
if (!options.includes(load)) {
  for (const name of Object.keys(process.env)) {
    if (/^(HDASH_|SYNAPSE_|S3_|SLACK_|AWS_)/.test(name)) Reflect.deleteProperty(process.env, name);
  }
  process.env["NODE_OPTIONS"] = `${options} ${load}`.trim();
}
