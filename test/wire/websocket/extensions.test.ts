/** What the vectors say of values of `sec-websocket-extensions`: parsed or malformed, taken or declined. */

import { describe, expect, test } from 'bun:test';

import { negotiateDeflate, parseExtensions } from '../../../src/wire/websocket/extensions.ts';
import { grammarRows, negotiationRows } from '../../cases/websocket/negotiation.ts';

describe('the grammar', () => {
  for (const { name, rfc, input, expect: offers } of grammarRows) {
    test(`${name} (${rfc}) is ${offers ? 'parsed' : 'malformed'}`, () => {
      expect(parseExtensions(input)).toStrictEqual(offers);
    });
  }
});

describe('permessage-deflate', () => {
  for (const { name, rfc, input, expect: agreement } of negotiationRows) {
    test(`${name} (${rfc}) is ${agreement ? 'taken' : 'declined'}`, () => {
      const offers = parseExtensions(input);
      if (!offers) throw new Error('malformed, so there is nothing to negotiate');
      expect(negotiateDeflate(offers)).toStrictEqual(agreement);
    });
  }

  test('a client without extensions gets none', () => {
    expect(negotiateDeflate([])).toBeUndefined();
  });
});
