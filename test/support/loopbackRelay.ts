// Lets a container that has no network but its own loopback reach servers on this machine's loopback: each port through a socket file.
// Run as a program, in the container, it listens on the ports; `offerPorts`, in the test, connects the sockets to the servers.

import { chmod } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** Opens `dir/<port>.sock` for every port of this machine's loopback; returns what closes them. */
export async function offerPorts(
  dir: string,
  ports: readonly number[],
): Promise<() => Promise<void>> {
  const relays = await Promise.all(
    ports.map(async (port) => {
      const path = join(dir, `${port}.sock`);
      const relay = await listen({ path }, () =>
        connect({ host: "127.0.0.1", port, allowHalfOpen: true }),
      );
      // The container's user is another than this process's.
      await chmod(path, 0o777);
      return relay;
    }),
  );
  return async () => {
    await Promise.all(relays.map((close) => close()));
  };
}

async function listen(
  place: { readonly path: string } | { readonly host: string; readonly port: number },
  open: () => Socket,
): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const far = open();
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // What breaks or closes on one side does so on the other; a half that only ends is passed on by pipe().
      socket.on("error", () => other.destroy());
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroySoon();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(place, resolve);
  });
  return async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
}

if (import.meta.main) {
  const [dir = "", ...ports] = process.argv.slice(2);
  await Promise.all(
    ports.map((port) =>
      listen({ host: "127.0.0.1", port: Number(port) }, () =>
        connect({ path: join(dir, `${port}.sock`), allowHalfOpen: true }),
      ),
    ),
  );
  console.log("relaying");
}
