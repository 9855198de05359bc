/**
 * One line in the access log for each request, however it ends.
 */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { echoPath } from './apps.ts';
import { H1_CARRIERS, onEach } from './carriers.ts';

const UPLOAD = 'POST /upload HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n';

onEach(H1_CARRIERS, (carrier) => {
  const cases = [
    { name: 'a request that is answered', input: 'GET /a HTTP/1.1\r\nhost: a\r\n\r\n', line: '"/a" 200' },
    { name: 'a request that cannot be read', input: 'GET /a HTTP/1.1\r\n\r\n', line: '"-" 400' },
    { name: 'a body that goes wrong behind its answer', input: `${UPLOAD}oops\r\n`, line: '"/upload" 200' },
  ];
  for (const { name, input, line } of cases) {
    test(`${name} gives one line`, async () => {
      using directory = temporaryDirectory();
      const file = directory.join('access.log');
      {
        await using server = await carrier.start(echoPath, { accessLog: file, accessLogFormat: '"%U" %s' });
        const client = await server.connect();
        const head = input.indexOf('oops') < 0 ? input : input.slice(0, input.indexOf('oops'));
        await client.send(head);
        await client.response();
        await client.send(input.slice(head.length));
        await client.halfClose();
        await client.ended();
      }
      expect(readFileSync(file, 'latin1').trim()).toBe(line);
    });
  }
});
