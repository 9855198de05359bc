/** Every reject vector is refused with its status, after the requests before it, however its bytes arrive. */

import { describe, expect, test } from 'bun:test';

import { rejectRows } from '../../cases/h1-reject.ts';
import { toBytes } from '../../support/bytes.ts';
import { feedThreeWays } from '../../support/feed-three-ways.ts';
import { readRequests } from '../../support/read-requests.ts';

for (const row of rejectRows) {
  describe(`${row.name} (${row.rfc})`, () => {
    for (const way of feedThreeWays(toBytes(row.input))) {
      test(`is refused with ${row.expect.status} ${way.name}`, () => {
        const read = readRequests(way.chunks, row.limits);
        expect(read.error?.status).toBe(row.expect.status);
        expect(read.requests.length).toBe(row.expect.before ?? 0);
      });
    }
  });
}
