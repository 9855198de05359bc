/**
 * Clients that come and go, in order and otherwise: each is one way to leave a server, and resolves when it has left.
 */
import type { ConnectionOptions } from 'node:tls';
import { RawClient, type Address } from '../../support/raw-client.ts';

type Passing = (client: RawClient) => Promise<unknown>;

const STREAM = `GET /stream?${2 ** 30} HTTP/1.1\r\nhost: a\r\n\r\n`;
const PART_OF_HEAD = 'GET / HTTP/1.1\r\nhost: a\r\nx-par';
const PART_OF_BODY = 'POST /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf';

export const WAYS_TO_LEAVE: Readonly<Record<string, Passing>> = {
  'closes after its answer': (client) => client.request(),
  'says nothing': async () => undefined,
  'half-closes at once': async (client) => {
    client.halfClose();
    await client.ended();
  },
  'half-closes inside a head': async (client) => {
    await client.send(PART_OF_HEAD);
    client.halfClose();
    await client.ended();
  },
  'half-closes inside a body': async (client) => {
    await client.send(PART_OF_BODY);
    client.halfClose();
    await client.ended();
  },
  'half-closes behind a request': async (client) => {
    await client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    client.halfClose();
    await client.response();
  },
  'resets at once': async (client) => client.reset(),
  'resets inside a head': async (client) => {
    await client.send(PART_OF_HEAD);
    client.reset();
  },
  'resets inside a body': async (client) => {
    await client.send(PART_OF_BODY);
    client.reset();
  },
  'resets inside a response': async (client) => {
    await client.send(STREAM);
    await client.received('x');
    client.reset();
  },
  'closes with a pipeline unread': async (client) => {
    await client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(50));
  },
  'sends what is no request': async (client) => {
    await client.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n');
    await client.ended();
  },
};

/** With `tls`, over TLS. */
export async function pass(address: Address, leave: Passing, tls?: ConnectionOptions): Promise<void> {
  const client = await RawClient.connect(address, tls);
  await leave(client);
  client.close();
}
