import { expect, test } from 'bun:test';
import { parseListenSpec } from '../../src/transport/listen-spec.ts';

const MALFORMED = [
  '',
  ':80',
  'localhost',
  'localhost:',
  'localhost:65536',
  'localhost:080000',
  'localhost:-1',
  'localhost:80x',
  'local host:80',
  '::1:80',
  '[::1]',
  '[localhost]:80',
  '[::1:80',
  'http://localhost:80',
  'app.sock',
  '-a:80',
  'fd:3',
  'systemd',
  `/${'x'.repeat(107)}`,
  '/a\0b',
];

for (const text of MALFORMED) {
  test(`${JSON.stringify(text).slice(0, 40)} is no address`, () => {
    expect(parseListenSpec(text).type).toBe('malformed');
  });
}

test('the longest path that a socket address holds is taken', () => {
  const path = `/${'x'.repeat(106)}`;
  expect(parseListenSpec(path)).toEqual({ type: 'unix', path });
});

test('host names, IPv4 and IPv6 addresses are taken', () => {
  for (const [text, host, port] of [
    ['localhost:80', 'localhost', 80],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['my_host-1.example.:8080', 'my_host-1.example.', 8080],
    ['[::]:443', '::', 443],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
  ] as const) {
    expect(parseListenSpec(text)).toEqual({ type: 'tcp', host, port });
  }
});
