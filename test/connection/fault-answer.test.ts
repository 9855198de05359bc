/**
 * The answer to a request that cannot be read, as it goes onto the wire.
 */
import { describe, expect, test } from 'bun:test';
import { faultAnswer } from '../../src/connection/fault-answer.ts';
import { DefaultHeaders, type DefaultHeaderSettings } from '../../src/session/default-headers.ts';
import { H1_ERRORS } from '../../src/wire/h1/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';

function defaults(settings: Partial<DefaultHeaderSettings> = {}): DefaultHeaders {
  const all = { serverHeader: true, dateHeader: true, headers: [], ...settings };
  return new DefaultHeaders(all, new FakeClock(), { now: 1 });
}

/** Status line, fields and content of the answer. */
function parsed(text: string): { statusLine: string; fields: string[]; content: string } {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine, ...fields] = text.slice(0, end).split('\r\n');
  return { statusLine: statusLine!, fields, content: text.slice(end + 4) };
}

describe('the answer to a fault', () => {
  for (const fault of Object.values(H1_ERRORS)) {
    test(`${fault.code} is ${fault.status}, whole, and the last on its connection`, () => {
      const answer = faultAnswer(fault, 'GET', defaults());
      const { statusLine, fields, content } = parsed(answer.text);
      expect(statusLine).toStartWith(`HTTP/1.1 ${fault.status} `);
      expect(content).toBe(`${statusLine.slice(9)}\n${fault.message}\n`);
      expect(fields).toContain('connection: close');
      expect(fields).toContain(`content-length: ${content.length}`);
      expect(fields).toContain('content-type: text/plain; charset=utf-8');
      expect(fields.some((field) => field.startsWith('date: '))).toBe(true);
      expect(fields.includes('retry-after: 1')).toBe(fault.status === 503);
      expect([answer.status, answer.bytes]).toEqual([fault.status, content.length]);
    });
  }

  test('to HEAD has the fields and no content (RFC 9110 9.3.2)', () => {
    const [get, head] = ['GET', 'HEAD'].map((method) =>
      faultAnswer(H1_ERRORS.headerTimeout, method, defaults()),
    );
    const whole = parsed(get!.text);
    expect(parsed(head!.text)).toEqual({ ...whole, content: '' });
    expect(head!.bytes).toBe(0);
  });

  test('has content where the method is not known', () => {
    const { text, bytes } = faultAnswer(H1_ERRORS.headerTimeout, undefined, defaults());
    expect(bytes).toBeGreaterThan(0);
    expect(parsed(text).content).toHaveLength(bytes);
  });

  test('has the fields that the operator configured, and not those that were turned off', () => {
    const settings = {
      serverHeader: false,
      dateHeader: false,
      headers: [['x-frame-options', 'DENY']],
    } as const;
    const { fields } = parsed(faultAnswer(H1_ERRORS.overloaded, 'GET', defaults(settings)).text);
    expect(fields.map((field) => field.split(':')[0]).sort()).toEqual([
      'connection',
      'content-length',
      'content-type',
      'retry-after',
      'x-frame-options',
    ]);
  });

  test('tells the access log the fields of its own', () => {
    const { responseHeaders } = faultAnswer(H1_ERRORS.overloaded, 'GET', defaults());
    expect(responseHeaders.map(([name]) => name)).toEqual(['content-type', 'content-length', 'retry-after']);
  });
});
