/**
 * The character classes against the grammars of RFC 9110 and RFC 3986, byte for byte.
 */
import { describe, expect, test } from 'bun:test';
import {
  hasValidEscapes,
  hexValue,
  isAuthority,
  isToken,
  listMembers,
  TARGET,
  TOKEN,
  trimOws,
} from '../../src/wire/grammar.ts';

/** The bytes that a table has, as one string. */
function charsOf(table: Uint8Array): string {
  return Array.from(table.keys())
    .filter((code) => table[code] !== 0)
    .map((code) => String.fromCharCode(code))
    .join('');
}

const ALPHANUMERIC = /^[A-Za-z0-9]$/;

test('a token has letters, digits and fifteen signs (RFC 9110 5.6.2)', () => {
  const signs = [...charsOf(TOKEN)].filter((char) => !ALPHANUMERIC.test(char));
  expect(signs.sort().join('')).toBe([..."!#$%&'*+-.^_`|~"].sort().join(''));
  expect(charsOf(TOKEN)).toHaveLength(26 + 26 + 10 + 15);
});

test('a target has what a URI has, and what browsers send besides (RFC 9112 3.2)', () => {
  const signs = [...charsOf(TARGET)].filter((char) => !ALPHANUMERIC.test(char)).sort();
  expect(signs).toEqual([..."-._~!$&'()*+,;=:@/?%[]\\^`{|}"].sort());
});

test('isToken is about the whole text, and no text is no token', () => {
  for (const text of ['a', 'Content-Type', 'x!#$%', '0']) expect(isToken(text)).toBe(true);
  for (const text of ['', ' a', 'a ', 'a:b', 'a\tb', 'a\x00', 'caf\xe9', 'a\u0161', '"a"', 'a/b'])
    expect(isToken(text)).toBe(false);
});

test('hexValue knows both cases and nothing else', () => {
  for (let code = 0; code < 300; code++) {
    const char = String.fromCharCode(code);
    expect(hexValue(code)).toBe(/^[0-9a-fA-F]$/.test(char) ? Number.parseInt(char, 16) : -1);
  }
});

test('every percent sign needs two hexadecimal digits behind it (RFC 3986 2.1)', () => {
  for (const text of ['', '/', '%41', '/a%2fb%2F', '%25%25', '%00']) expect(hasValidEscapes(text)).toBe(true);
  for (const text of ['%', '%4', '/%zz', '/%4g', '%%41', '/ok%41/%', '%-1', '%+1', '% 1'])
    expect(hasValidEscapes(text)).toBe(false);
});

describe('isAuthority (RFC 9110 7.2, RFC 3986 3.2.2)', () => {
  const valid = [
    'a',
    'example.com',
    'example.com.',
    'example.com:80',
    'example.com:',
    'example.com:65535',
    'a_b-c~d.e',
    'xn--bcher-kva.example',
    "sub!$&'()*+,;=delims",
    'caf%C3%A9.example',
    '127.0.0.1:8080',
    '999.999.999.999',
    '[::]',
    '[::1]:80',
    '[2001:db8::ff00:42:8329]',
    '[1:2:3:4:5:6:7:8]',
    '[1:2:3:4:5:6:1.2.3.4]',
    '[::ffff:192.0.2.1]',
    '[::2:3:4:5:6:7:8]',
    '[v1.fe80::a+en1]',
  ];
  for (const text of valid) test(`accepts ${text}`, () => expect(isAuthority(text)).toBe(true));

  const invalid = [
    '',
    ':80',
    'user@example.com',
    'example.com:65536',
    'example.com:8a',
    'example.com:80:80',
    'example.com: 80',
    'example.com/',
    'example.com?',
    'a b',
    'a\tb',
    'caf\xe9.example',
    'a%zz',
    'a%4',
    'a,b c',
    'a"b',
    'a<b',
    'a\\b',
    '::1',
    '[]',
    '[::1',
    '::1]',
    '[::1]80',
    '[::1]:x',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1::2::3]',
    '[1:2:3:4:5:6:7::8]',
    '[12345::]',
    '[::g]',
    '[::1.2.3]',
    '[::1.2.3.4:5]',
    '[::256.2.3.4]',
    '[::01.2.3.4]',
    '[1.2.3.4]',
    '[:::]',
    '[fe80::1%25eth0]',
    '[v.a]',
    '[vg.a]',
    '[v1.]',
  ];
  for (const text of invalid) {
    test(`refuses ${JSON.stringify(text)}`, () => expect(isAuthority(text)).toBe(false));
  }
});

test('the members of a list are trimmed and lower-case, and empty ones are none (RFC 9110 5.6.1)', () => {
  expect(listMembers('Close, Keep-Alive')).toEqual(['close', 'keep-alive']);
  expect(listMembers(' ,, a ,\tb\t,')).toEqual(['a', 'b']);
  expect(listMembers('')).toEqual([]);
  expect(listMembers(' \t')).toEqual([]);
});

test('optional white space is spaces and tabs, at both ends and nothing else (RFC 9110 5.6.3)', () => {
  expect(trimOws(' \ta b\t ')).toBe('a b');
  expect(trimOws('\xa0a\n')).toBe('\xa0a\n');
  expect(trimOws(' \t')).toBe('');
});
