import { expect, test } from 'bun:test';
import { parseListenSpec, speaksTls } from '../../src/transport/listen-spec.ts';

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
  'ftp://localhost:80',
  'HTTPS://localhost:80',
  'http://localhost',
  'https://localhost:80/',
  'https://',
  'https://https://localhost:80',
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

test('http:// or https:// in front says whether TLS is spoken', () => {
  expect(parseListenSpec('http://[::1]:80')).toEqual({ type: 'tcp', host: '::1', port: 80, isSecure: false });
  expect(parseListenSpec('https://a:443')).toEqual({ type: 'tcp', host: 'a', port: 443, isSecure: true });
  expect(parseListenSpec('https:///run/a')).toEqual({ type: 'unix', path: '/run/a', isSecure: true });
  expect(parseListenSpec('https://./a')).toEqual({ type: 'unix', path: './a', isSecure: true });
});

test('where the address does not say, a certificate makes TCP speak TLS, and nothing else', () => {
  const tcp = { type: 'tcp', host: 'a', port: 1 } as const;
  const unix = { type: 'unix', path: '/a' } as const;
  expect([speaksTls(tcp, true), speaksTls(tcp, false)]).toEqual([true, false]);
  expect([speaksTls(unix, true), speaksTls(unix, false)]).toEqual([false, false]);
  expect([
    speaksTls({ ...tcp, isSecure: false }, true),
    speaksTls({ ...unix, isSecure: true }, true),
  ]).toEqual([false, true]);
});
