/**
 * What the HTTP handlers have in common: a JSON answer, and a JSON body of limited size.
 */
import type { HeaderList, HttpScope, ReceiveFunction, SendFunction } from 'tsagi-server';

export const MAX_INPUT_BYTES = 10_000;

export interface Reply {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: HeaderList;
}

export function failure(status: number, error: string, headers: HeaderList = []): Reply {
  return { status, json: { error }, headers };
}

export async function sendReply(send: SendFunction, { status, json, headers = [] }: Reply): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(json)}\n`);
  await send({
    type: 'http.response.start',
    status,
    headers: [['content-type', 'application/json'], ['content-length', String(body.length)], ...headers],
  });
  await send({ type: 'http.response.body', body });
}

export type Input = { readonly json: unknown } | { readonly refusal: Reply };

/** The request body, or what to answer instead; `undefined` when the client has gone. */
export async function readJson(scope: HttpScope, receive: ReceiveFunction): Promise<Input | undefined> {
  // A page of another site cannot send this type without asking first, so it cannot start jobs behind its reader's back.
  const contentType = scope.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  if (contentType.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    return { refusal: failure(415, 'content-type must be application/json') };
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let more = true; more;) {
    const event = await receive();
    if (event.type !== 'http.request') return undefined;
    pieces.push(event.body);
    size += event.body.length;
    if (size > MAX_INPUT_BYTES) return { refusal: failure(413, `at most ${MAX_INPUT_BYTES} bytes`) };
    more = event.more;
  }
  try {
    return { json: JSON.parse(Buffer.concat(pieces).toString('utf8')) };
  } catch {
    return { refusal: failure(400, 'the body is not JSON') };
  }
}
