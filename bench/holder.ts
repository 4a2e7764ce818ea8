/**
 * A process that holds TCP sockets, as its parent tells it by IPC: `comm` gives it a name, `listen` lets it accept
 * on these addresses, `connect` opens connections to one. Answers each message with its pid when done.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

export type Order =
  | { readonly comm: string }
  | { readonly listen: readonly string[]; readonly port: number }
  | { readonly connect: string; readonly port: number; readonly count: number };

/** Fewer than a listener's backlog in Node, 511: none of them has to try again. */
const AT_ONCE = 200;

const sockets: Socket[] = [];

process.on('disconnect', () => process.exit(0));
process.on('message', async (order: Order) => {
  if ('comm' in order) writeFileSync('/proc/self/comm', order.comm);
  else if ('listen' in order) await Promise.all(order.listen.map((address) => listen(address, order.port)));
  else await open(order);
  process.send?.(process.pid);
});

async function listen(address: string, port: number): Promise<void> {
  const server = createServer((socket) => sockets.push(socket));
  server.listen(port, address);
  await once(server, 'listening');
}

async function open({ connect: host, port, count }: Extract<Order, { connect: string }>): Promise<void> {
  for (let left = count; left > 0; left -= AT_ONCE) {
    const batch = Array.from({ length: Math.min(left, AT_ONCE) }, () => connect(port, host));
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    sockets.push(...batch);
  }
}
