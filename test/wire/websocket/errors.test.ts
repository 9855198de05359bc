/** The faults as data: what the close frame that answers one can carry. */
import { expect, test } from 'bun:test';
import { isSendableCloseCode } from '../../../src/wire/websocket/close-codes.ts';
import { WS_FAULTS } from '../../../src/wire/websocket/errors.ts';

const FAULTS = Object.values(WS_FAULTS);

test('each fault has a code of its own and a close code that may be sent', () => {
  expect(new Set(FAULTS.map((fault) => fault.code)).size).toBe(FAULTS.length);
  expect(FAULTS.every((fault) => isSendableCloseCode(fault.closeCode))).toBe(true);
});

test('each message is printable ASCII and fits into a close frame', () => {
  expect(
    FAULTS.map((fault) => fault.message).filter((message) => !/^[\x20-\x7e]{1,123}$/.test(message)),
  ).toEqual([]);
});
