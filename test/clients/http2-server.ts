/**
 * The real command with HTTP/2 switched on, by prior knowledge and over TLS, for clients that speak it.
 */
import { describe } from 'bun:test';
import { SERVER_TLS } from '../support/certificates.ts';
import { startServer, type RunningProgram } from '../support/running-program.ts';

export interface Http2Transport {
  readonly name: string;
  readonly isSecure: boolean;
}

const TRANSPORTS: readonly Http2Transport[] = [
  { name: 'by prior knowledge', isSecure: false },
  { name: 'over TLS', isSecure: true },
];

/** Registers `tests` once for each way to HTTP/2. */
export function onEachTransport(name: string, tests: (transport: Http2Transport) => void): void {
  for (const transport of TRANSPORTS) describe(`${name} ${transport.name}`, () => tests(transport));
}

export interface Http2Server extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly url: string;
}

export async function startHttp2(
  { isSecure }: Pick<Http2Transport, 'isSecure'>,
  ...args: string[]
): Promise<Http2Server> {
  const tls = ['--ssl-cert', SERVER_TLS.certFile, '--ssl-key', SERVER_TLS.keyFile];
  const program = startServer('test/clients/http2-app.ts', [
    '--port',
    '0',
    '--http2',
    ...(isSecure ? tls : []),
    ...args,
  ]);
  const [, url = ''] = await program.said(/listening on (https?:\S+)\n/);
  return { program, url, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
