import type { App } from 'tsagi-server';

export const app: App = async (scope, _receive, send) => {
  if (scope.type !== 'http') throw new Error(`unsupported scope: ${scope.type}`);
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
