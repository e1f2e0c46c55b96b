// Lets a look-alike server listen, and says so when it cannot.

import type { Server } from "node:http";

import { HdashError } from "../error.ts";

/** Listens on a port (0: any free one) and returns the address, without a slash at the end. Throws usage where it cannot. */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const hint = "Another program may use the port; 0 takes any free one.";
      reject(new HdashError("usage", `cannot listen on ${host}:${port}`, { cause: error, hint }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return `http://${host}:${bound}`;
}
