/**
 * The memory that a server keeps for each idle connection, keep-alive or WebSocket session: the difference between a tenth
 * of the connections and all of them, so that what the server allocates once is not counted. Memory of the kernel is not
 * in it.
 */
import { join } from 'node:path';
import type { Children } from '../children.ts';
import type { RunningPeer } from '../peers.ts';
import { ownBytes } from '../process-costs.ts';
import type { Sample } from '../samples.ts';

const CLIENT = join(import.meta.dir, 'idle-client.ts');
/** For collectors that work when it is quiet. */
const SETTLE_MS = 1500;

export async function measureIdleConnections(
  peer: RunningPeer,
  { kind, connections }: { kind: 'http' | 'websocket'; connections: number },
  children: Children,
): Promise<Sample> {
  const child = children.startLoad([process.execPath, CLIENT, String(peer.port), kind]);
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const memoryAt = async (count: number): Promise<number> => {
    child.stdin.write(`${count}\n`);
    await child.stdin.flush();
    const { value = 'the client ended' } = await lines.read();
    if (Number(value) !== count) throw new Error(`${count} idle connections: ${value.trim()}`);
    await Bun.sleep(SETTLE_MS);
    return ownBytes(peer.pid);
  };
  try {
    const few = Math.floor(connections / 10);
    const memoryAtFew = await memoryAt(few);
    const memoryAtAll = await memoryAt(connections);
    return { value: (memoryAtAll - memoryAtFew) / (connections - few), faults: [] };
  } finally {
    await children.stop(child);
  }
}
