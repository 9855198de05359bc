/**
 * Where text is UTF-8 already and where it is bytes: the path and bodies, the query, and header values.
 */
import type { App, ReceiveFunction } from 'tsagi-server';

export const app: App = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);

  const report = {
    // Percent-decoded and read as UTF-8 by the server. `rawPath` is what was on the wire.
    path: scope.path,
    rawPath: scope.rawPath,
    // The query stays encoded: only the app knows whether it is a form. URLSearchParams decodes it as UTF-8.
    query: Object.fromEntries(new URLSearchParams(scope.queryString)),
    // A header value is a byte string, one character for each byte: HTTP does not say what the bytes mean.
    header: fromByteString(scope.headers.find(([name]) => name === 'x-name')?.[1] ?? ''),
    body: await text(receive),
  };
  const json = `${JSON.stringify(report, undefined, 2)}\n`;

  await send({
    type: 'http.response.start',
    status: 200,
    headers: [
      ['content-type', 'application/json; charset=utf-8'],
      // The length counts bytes, and `json.length` would count UTF-16 units.
      ['content-length', String(Buffer.byteLength(json))],
      // A header value is sent as a byte string too; a character above 255 would be refused.
      ['x-greeting', toByteString(`Grüße, ${report.header} 👋`)],
    ],
  });
  // A string is sent as UTF-8.
  await send({ type: 'http.response.body', body: json });
};

async function text(receive: ReceiveFunction): Promise<string> {
  // One decoder for the whole body: a character may be cut in two where one piece ends and the next begins.
  const decoder = new TextDecoder();
  let result = '';
  for (;;) {
    const event = await receive();
    if (event.type !== 'http.request') throw new Error('the client has gone');
    result += decoder.decode(event.body, { stream: event.more });
    if (!event.more) return result;
  }
}

function fromByteString(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

function toByteString(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}
