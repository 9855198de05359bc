/**
 * What a behaviour can be carried by. A test that speaks through `TestServer.request` runs on every carrier; one that
 * writes HTTP/1.1 bytes runs on those that speak it. A new carrier is one row here.
 */
import { describe } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import type { HeaderList } from '../../src/contract/send-events.ts';
import { overHttp2 } from '../support/h2-carrier-client.ts';
import { startServer, type StartOptions, type TestServer } from '../support/start-server.ts';

export interface Carrier {
  readonly name: string;
  readonly protocol: 'h1' | 'h2';
  readonly isUnix: boolean;
  readonly isSecure: boolean;
  /** The status that accepts a WebSocket. */
  readonly accepted: 101 | 200;
  /** How a connection (on HTTP/2 a stream) ends that the server breaks off: unix sockets have no reset. */
  readonly brokenOff: 'reset' | 'fin';
  /** Fields of a response as its client sees them. */
  readonly fields: (list: HeaderList) => [string, string][];
  start(app: App, options?: StartOptions): Promise<TestServer>;
}

export const CARRIERS: readonly Carrier[] = [
  {
    name: 'HTTP/1.1 over TCP',
    protocol: 'h1',
    isUnix: false,
    isSecure: false,
    accepted: 101,
    fields: asIs,
    brokenOff: 'reset',
    start: (app, options) => startServer(app, options),
  },
  {
    name: 'HTTP/1.1 over a unix socket',
    protocol: 'h1',
    isUnix: true,
    isSecure: false,
    accepted: 101,
    fields: asIs,
    brokenOff: 'fin',
    start: (app, options) => startServer(app, { ...options, isUnix: true }),
  },
  {
    name: 'HTTP/1.1 over TLS',
    protocol: 'h1',
    isUnix: false,
    isSecure: true,
    accepted: 101,
    fields: asIs,
    brokenOff: 'reset',
    start: (app, options) => startServer(app, { ...options, isSecure: true }),
  },
  {
    name: 'HTTP/2 over TCP',
    protocol: 'h2',
    isUnix: false,
    isSecure: false,
    accepted: 200,
    fields: lowerCase,
    brokenOff: 'reset',
    start: async (app, options) => overHttp2(await startServer(app, { http2: true, ...options })),
  },
  {
    name: 'HTTP/2 over TLS',
    protocol: 'h2',
    isUnix: false,
    isSecure: true,
    accepted: 200,
    fields: lowerCase,
    brokenOff: 'reset',
    start: async (app, options) =>
      overHttp2(await startServer(app, { http2: true, ...options, isSecure: true }), { tls: {} }),
  },
];

export const H1_CARRIERS: readonly Carrier[] = CARRIERS.filter(({ protocol }) => protocol === 'h1');
export const H2_CARRIERS: readonly Carrier[] = CARRIERS.filter(({ protocol }) => protocol === 'h2');

/** Fields as they arrive: names are in lower case on HTTP/2 (RFC 9113 8.2.1). */
function asIs(list: HeaderList): [string, string][] {
  return list.map(([name, value]) => [name, value]);
}

function lowerCase(list: HeaderList): [string, string][] {
  return list.map(([name, value]) => [name.toLowerCase(), value]);
}

/** Registers `tests` once for each carrier, under its name. */
export function onEach(carriers: readonly Carrier[], tests: (carrier: Carrier) => void): void {
  for (const carrier of carriers) describe(carrier.name, () => tests(carrier));
}
