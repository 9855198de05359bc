/**
 * Subjects as RFC 4514 writes them, from certificates that are cut down to what leads to the subject.
 */
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'bun:test';
import { subjectName } from '../../src/transport/distinguished-name.ts';
import { certificate } from '../support/certificates.ts';

const CN = '2.5.4.3';
const UTF8 = 0x0c;

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  // X.690 8.1.3: short form, or one or two bytes more.
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((value) => {
    const groups = [value & 0x7f];
    for (let left = value >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return element(0x06, Buffer.from(bytes));
}

type Attribute = readonly [type: string, value: string | Uint8Array, tag?: number];

/** One list of attributes for each place of the name. */
function certificateFor(places: readonly (readonly Attribute[])[], hasVersion = true): Buffer {
  const sets = places.map((attributes) =>
    element(
      0x31,
      ...attributes.map(([type, value, tag = UTF8]) =>
        element(0x30, identifier(type), element(tag, Buffer.from(value as string))),
      ),
    ),
  );
  const anything = element(0x30);
  const version = hasVersion ? [element(0xa0, element(0x02, Buffer.from([2])))] : [];
  const fields = [...version, element(0x02, Buffer.from([1])), anything, anything, anything];
  return element(0x30, element(0x30, ...fields, element(0x30, ...sets)));
}

const ROWS: readonly (readonly [
  name: string,
  places: readonly (readonly Attribute[])[],
  expected: string,
])[] = [
  ['an empty name', [], ''],
  [
    'the last place first (2.1)',
    [[['2.5.4.6', 'FR']], [['2.5.4.10', 'Acme']], [[CN, 'a']]],
    'CN=a,O=Acme,C=FR',
  ],
  [
    'attributes of one place (2.2)',
    [
      [
        ['2.5.4.11', 'Sales'],
        [CN, 'J.  Smith'],
      ],
    ],
    'OU=Sales+CN=J.  Smith',
  ],
  [
    'every short name (3)',
    ['2.5.4.7', '2.5.4.8', '2.5.4.9', '0.9.2342.19200300.100.1.25', '0.9.2342.19200300.100.1.1'].map(
      (type) => [[type, 'x']],
    ),
    'UID=x,DC=x,STREET=x,ST=x,L=x',
  ],
  [
    'what has a meaning of its own (2.4)',
    [[[CN, 'a"b+c,d;e<f>g\\h=i#j']]],
    'CN=a\\"b\\+c\\,d\\;e\\<f\\>g\\\\h=i#j',
  ],
  ['a number sign in front (2.4)', [[[CN, '#a']]], 'CN=\\#a'],
  ['blanks in front and behind (2.4)', [[[CN, '  a b  ']]], 'CN=\\  a b \\ '],
  ['one blank alone (2.4)', [[[CN, ' ']]], 'CN=\\ '],
  ['a line feed, a NUL (2.4)', [[[CN, 'a\nb\0']]], 'CN=a\\0ab\\00'],
  ['letters beyond ASCII', [[[CN, 'Zoé Лучић 😀']]], 'CN=Zoé Лучић 😀'],
  ['a type without a short name (2.3)', [[['1.3.6.1.4.1.1466.0', 'Lu']]], '1.3.6.1.4.1.1466.0=#0c024c75'],
  ['a value that is no string (2.4)', [[[CN, new Uint8Array([5]), 0x02]]], 'CN=#020105'],
  ['UTF-8 that is none', [[[CN, new Uint8Array([0xff])]]], 'CN=#0c01ff'],
  ['PrintableString', [[[CN, 'a', 0x13]]], 'CN=a'],
  ['TeletexString', [[[CN, new Uint8Array([0xe9]), 0x14]]], 'CN=é'],
  ['BMPString', [[[CN, new Uint8Array([0x04, 0x1b]), 0x1e]]], 'CN=Л'],
  ['UniversalString', [[[CN, new Uint8Array([0, 1, 0xf6, 0]), 0x1c]]], 'CN=😀'],
  ['a name that takes two bytes of length', [[[CN, 'x'.repeat(300)]]], `CN=${'x'.repeat(300)}`],
];

test.each(ROWS)('%s', (_name, places, expected) => {
  expect(subjectName(certificateFor(places))).toBe(expected);
});

test('a certificate of version 1 does not say its version', () => {
  expect(subjectName(certificateFor([[[CN, 'old']]], false))).toBe('CN=old');
});

test('a real certificate', () => {
  const { raw } = new X509Certificate(certificate('client'));
  expect(subjectName(raw)).toBe('CN=Zoé,OU=R\\+D+O=Acme\\, Inc.,C=FR');
});

test('bytes that are cut off or changed give no name, and no exception', () => {
  const { raw } = new X509Certificate(certificate('client'));
  for (let length = 0; length < raw.length; length++) {
    expect(subjectName(raw.subarray(0, length))).toBeUndefined();
    const changed = Buffer.from(raw);
    changed[length]! ^= 0xff;
    expect(['string', 'undefined']).toContain(typeof subjectName(changed));
  }
});
