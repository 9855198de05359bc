/**
 * The smallest useful app: every request gets the same short text.
 */
import type { App } from 'tsagi-server';

// An app is one async function. The server calls it once for every request, with what is known of the request (scope), a way
// to get more from the client (receive), and a way to answer (send). The export named `app` is the one that is served.
export const app: App = async (scope, _receive, send) => {
  // Not only HTTP requests come this way. An app throws on what it does not serve, and the server takes it from there.
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);

  // An answer is a start, with status and headers, and a body. With a length the connection can be used again by any client.
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [
      ['content-type', 'text/plain; charset=utf-8'],
      ['content-length', '16'],
    ],
  });
  await send({ type: 'http.response.body', body: 'Hello from TSAGI' });
};
