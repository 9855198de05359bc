/**
 * What a behaviour can be carried by. A test that speaks through `TestServer.request` runs on every carrier; one that
 * writes HTTP/1.1 bytes runs on those that speak it. A new carrier is one row here.
 */
import { describe } from 'bun:test';
import type { App } from '../../src/contract/app.ts';
import { startServer, type StartOptions, type TestServer } from '../support/start-server.ts';

export interface Carrier {
  readonly name: string;
  readonly protocol: 'h1';
  readonly isUnix: boolean;
  /** How a connection ends that the server breaks off: unix sockets have no reset. */
  readonly brokenOff: 'reset' | 'fin';
  start(app: App, options?: StartOptions): Promise<TestServer>;
}

export const CARRIERS: readonly Carrier[] = [
  {
    name: 'HTTP/1.1 over TCP',
    protocol: 'h1',
    isUnix: false,
    brokenOff: 'reset',
    start: (app, options) => startServer(app, options),
  },
  {
    name: 'HTTP/1.1 over a unix socket',
    protocol: 'h1',
    isUnix: true,
    brokenOff: 'fin',
    start: (app, options) => startServer(app, { ...options, isUnix: true }),
  },
];

export const H1_CARRIERS: readonly Carrier[] = CARRIERS.filter(({ protocol }) => protocol === 'h1');

/** Registers `tests` once for each carrier, under its name. */
export function onEach(carriers: readonly Carrier[], tests: (carrier: Carrier) => void): void {
  for (const carrier of carriers) describe(carrier.name, () => tests(carrier));
}
