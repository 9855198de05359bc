/**
 * Three ways to occupy a server with next to no work: a head that trickles, a body that stops half way, a response that is
 * never read. Each tells when the server put an end to it.
 */
import type { RawClient } from '../../support/raw-client.ts';

export type SlowKind = 'head' | 'body' | 'read';

export interface SlowEnd {
  readonly kind: SlowKind;
  /** What the server answered, undefined where the client does not read. */
  readonly status: number | undefined;
  /** From the first byte sent to the end of the connection; Infinity where it did not end. */
  readonly seconds: number;
}

/** Milliseconds between the bytes of a head. */
const TRICKLE = 100;
const OPENINGS: Record<SlowKind, string> = {
  head: 'GET / HTTP/1.1\r\nhost: a\r\nx-slow: ',
  body: 'POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nthe first few bytes',
  read: `GET /stream?${2 ** 30} HTTP/1.1\r\nhost: a\r\n\r\n`,
};

/** Begins, and resolves at the end of the connection, or after so many seconds. */
export async function stayOn(client: RawClient, kind: SlowKind, mostSeconds: number): Promise<SlowEnd> {
  const { socket } = client;
  const began = performance.now();
  const ended = Promise.withResolvers<number>();
  for (const event of ['end', 'error', 'close'])
    socket.once(event, () => ended.resolve((performance.now() - began) / 1000));
  const patience = setTimeout(() => ended.resolve(Infinity), mostSeconds * 1000);
  if (kind === 'read') client.pause();
  await client.send(OPENINGS[kind]);
  const trickle = kind === 'head' ? setInterval(() => socket.write('y'), TRICKLE) : undefined;
  const seconds = await ended.promise;
  clearInterval(trickle);
  clearTimeout(patience);
  const status = kind === 'read' ? undefined : Number(/^HTTP\/1.1 (\d+)/.exec(client.unread)?.[1]);
  client.close();
  return { kind, status, seconds };
}
