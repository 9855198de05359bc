/**
 * A real server within the test's own process, on a port or path of its own. It keeps what it logs, and takes its
 * clients with it when the test ends: `await using server = await startServer(…)`.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../src/clock/clock.ts';
import type { ServerOptions } from '../../src/config/settings.ts';
import type { App } from '../../src/contract/app.ts';
import { createLogger } from '../../src/log/logger.ts';
import { readSettings } from '../../src/runner/read-settings.ts';
import { Server } from '../../src/server/server.ts';
import { SERVER_TLS } from './certificates.ts';
import { RawClient, type Address, type SimpleRequest } from './raw-client.ts';
import type { HandshakeOptions, WebSocketPeer } from './websocket-client.ts';

export interface StartOptions extends ServerOptions {
  /** Listen on a unix socket in place of a port. */
  readonly isUnix?: boolean;
  /** Speak TLS. */
  readonly isSecure?: boolean;
  /** What the server takes for time. */
  readonly clock?: Clock;
}

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly address: Address;
  /** What has been logged, one entry each, without its time. */
  readonly log: readonly string[];
  /** Those of level error. */
  readonly errors: readonly string[];
  /** What is given is for clients of TLS. */
  connect(tls?: ConnectionOptions): Promise<RawClient>;
  /** A request on a connection of its own. */
  request(request?: SimpleRequest): ReturnType<RawClient['request']>;
  /** Where its clients do not speak HTTP/1.1. */
  askForWebSocket?(options: HandshakeOptions): Promise<WebSocketPeer>;
}

/** The log is injected, which `createServer` does not offer; everything else is what it does. */
export async function startServer(app: App, options: StartOptions = {}): Promise<TestServer> {
  const { isUnix = false, isSecure = false, clock, ...given } = options;
  const path = join(tmpdir(), `tsagi-${randomUUID().slice(0, 8)}.sock`);
  const log: string[] = [];
  const logger = createLogger({
    level: 'debug',
    write: (text) => void log.push(text.trimEnd().replace(/^\S+ /, '')),
  });
  const settings = readSettings({
    ...(isUnix ? { socket: path } : { port: 0 }),
    ...(isSecure ? SERVER_TLS : {}),
    accessLog: false,
    lifespan: 'off',
    shutdownTimeout: 1,
    ...given,
  });
  const server = new Server(app, settings, logger, clock);
  await server.listen();
  const address: Address = isUnix ? { path } : { host: '127.0.0.1', port: server.port! };
  const clients: RawClient[] = [];
  const connect = async (tls?: ConnectionOptions): Promise<RawClient> => {
    const client = await RawClient.connect(address, isSecure ? (tls ?? {}) : undefined);
    clients.push(client);
    return client;
  };
  return {
    server,
    address,
    log,
    get errors() {
      return log.filter((line) => line.startsWith('error '));
    },
    connect,
    async request(request) {
      const client = await connect();
      const response = await client.request(request);
      client.close();
      return response;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await server.shutdown();
    },
  };
}
