/** Every accept vector gives exactly the requests it names, however its bytes arrive. */

import { describe, expect, test } from 'bun:test';

import type { AcceptRow, ExpectedRequest } from '../../cases/h1/row.ts';
import { acceptRows } from '../../cases/h1-accept.ts';
import { toBytes } from '../../support/bytes.ts';
import { feedThreeWays } from '../../support/feed-three-ways.ts';
import type { Way } from '../../support/feed-three-ways.ts';
import { readRequests } from '../../support/read-requests.ts';

const TRAILING_REQUEST: ExpectedRequest = {
  method: 'GET',
  target: '/next',
  path: '/next',
  query: '',
  version: '1.1',
  headers: [['host', 'next']],
  body: '',
  keepAlive: true,
};

/** Bytes behind an unfinished request would belong to it. */
function waysFor(row: AcceptRow): Way[] {
  return [...feedThreeWays(toBytes(row.input))].filter((way) => !(way.trailing && row.unfinished));
}

function expectedFor(row: AcceptRow, way: Way): ExpectedRequest[] {
  const isFollowed = way.trailing && row.expect.at(-1)?.keepAlive === true;
  const expected = isFollowed ? [...row.expect, TRAILING_REQUEST] : row.expect;
  return expected.map(withDefaults);
}

function withDefaults(request: ExpectedRequest): ExpectedRequest {
  return { trailers: [], expectsContinue: false, ...request };
}

for (const row of acceptRows) {
  describe(`${row.name} (${row.rfc})`, () => {
    for (const way of waysFor(row)) {
      test(`is accepted ${way.name}`, () => {
        const read = readRequests(way.chunks, row.limits);
        expect(read.error).toBeUndefined();
        expect(read.requests).toMatchObject(expectedFor(row, way));
        expect(read.incomplete).toBe(row.unfinished === true);
      });
    }
  });
}
