// A wire to a server on this machine that a test can cut and mend.

import { connect, createServer, type Server, type Socket } from "node:net";

/** A wire to the server that can be cut. */
export interface Wire {
  readonly port: number;
  cut(): void;
  mend(): Promise<void>;
}

/** Lays a wire to a port; it has one of its own, which stays the same. */
export async function layWire(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let own = 0;
  const wire = {
    get port() {
      return own;
    },
    cut() {
      server?.close();
      server = null;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    async mend() {
      const opened = createServer((near) => {
        const far = connect(port, "127.0.0.1");
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(from);
          from.on("error", () => to.destroy()).on("close", () => to.destroy());
          from.pipe(to);
        }
      });
      await new Promise<void>((resolve) => opened.listen(own, "127.0.0.1", resolve));
      const address = opened.address();
      own = typeof address === "object" && address !== null ? address.port : 0;
      server = opened;
    },
  };
  await wire.mend();
  return wire;
}
