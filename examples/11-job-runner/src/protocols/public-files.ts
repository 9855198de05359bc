/**
 * The files of the page. They are listed by name, so a path cannot lead anywhere else.
 */
import { fileURLToPath } from 'node:url';
import type { HttpScope, SendFunction } from 'tsagi-server';
import { failure, sendReply } from './reply.ts';

const FOLDER = fileURLToPath(new URL('../../public', import.meta.url));

const FILES = new Map([
  ['/', { file: `${FOLDER}/index.html`, contentType: 'text/html; charset=utf-8' }],
  ['/style.css', { file: `${FOLDER}/style.css`, contentType: 'text/css; charset=utf-8' }],
  ['/app.js', { file: `${FOLDER}/app.js`, contentType: 'text/javascript; charset=utf-8' }],
]);

export async function sendPublicFile(scope: HttpScope, send: SendFunction): Promise<void> {
  const found = FILES.get(scope.path);
  if (found === undefined) return await sendReply(send, failure(404, 'nothing here'));
  if (scope.method !== 'GET' && scope.method !== 'HEAD') {
    return await sendReply(send, failure(405, 'only to be read', [['allow', 'GET, HEAD']]));
  }
  await send({
    type: 'http.response.start',
    status: 200,
    headers: [
      ['content-type', found.contentType],
      ['cache-control', 'no-cache'],
    ],
  });
  await send({ type: 'http.response.body', file: found.file });
}
