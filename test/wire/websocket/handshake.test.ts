/** Every handshake vector is accepted with its values or refused with its status, code and fields. */

import { describe, expect, test } from 'bun:test';

import { ProtocolError } from '../../../src/wire/protocol-error.ts';
import {
  HANDSHAKE_ERRORS,
  handshakeErrorHeaders,
  judgeHandshake,
} from '../../../src/wire/websocket/handshake.ts';
import type { Handshake } from '../../../src/wire/websocket/handshake.ts';
import { handshakeRows } from '../../cases/websocket/handshake.ts';

for (const { name, rfc, input, accepted, refused } of handshakeRows) {
  describe(`${name} (${rfc})`, () => {
    if (accepted) {
      test('is accepted', () => {
        expect(judgeHandshake(input)).toStrictEqual(accepted satisfies Handshake);
      });
    }
    if (refused) {
      test(`is refused with ${refused.status}`, () => {
        const error = judgeHandshake(input);
        if (!(error instanceof ProtocolError)) throw new Error(`accepted: ${JSON.stringify(error)}`);
        expect({
          status: error.status,
          code: error.code,
          headers: handshakeErrorHeaders(error),
        }).toStrictEqual(refused);
      });
    }
  });
}

test('every fault is the outcome of some vector', () => {
  const seen = new Set(handshakeRows.map(({ input }) => judgeHandshake(input)));
  for (const error of Object.values(HANDSHAKE_ERRORS)) expect(seen.has(error)).toBe(true);
});

test('a fault that is not of a handshake has no fields of its own', () => {
  expect(handshakeErrorHeaders(new ProtocolError('other', 405, 'Other.'))).toStrictEqual([]);
});

test('whoever changes the fields of an answer changes no other answer', () => {
  handshakeErrorHeaders(HANDSHAKE_ERRORS.version)[0]![1] = '8';
  expect(handshakeErrorHeaders(HANDSHAKE_ERRORS.version)[0]).toStrictEqual(['sec-websocket-version', '13']);
});
