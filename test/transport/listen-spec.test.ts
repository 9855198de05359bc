import { expect, test } from 'bun:test';
import {
  formatAddress,
  parseListenSpec,
  settleTls,
  speaksTls,
  type ListenAddress,
} from '../../src/transport/listen-spec.ts';

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
  'fd:',
  'fd:03',
  'fd:1:2',
  'fd:2147483648',
  'fd:a:b',
  'fd:caf\u00e9',
  'fd:a\tb',
  `fd:${'n'.repeat(256)}`,
  'https://fd:',
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

test('a socket that the process was started with is told by its number or by its name', () => {
  expect(parseListenSpec('fd:0')).toEqual({ type: 'fd', fd: 0 });
  expect(parseListenSpec('https://fd:2147483647')).toEqual({ type: 'fd', fd: 2147483647, isSecure: true });
  for (const name of ['web.socket', '3a', '-', 'a b', 'n'.repeat(255)]) {
    expect(parseListenSpec(`fd:${name}`)).toEqual({ type: 'named', name });
  }
});

test('of an inherited socket, TLS without a scheme is settled when its kind is known', () => {
  const inherited = { type: 'fd', fd: 3 } as const;
  expect(speaksTls(inherited, false)).toBe(false);
  expect(speaksTls({ ...inherited, isSecure: false }, true)).toBe(false);
  expect(speaksTls({ ...inherited, isSecure: true }, true)).toBe(true);
  const use = speaksTls(inherited, true);
  expect(settleTls(use, { type: 'tcp', host: 'a', port: 1 })).toBe(true);
  expect(settleTls(use, { type: 'unix', path: '/a' })).toBe(false);
  expect(settleTls(true, { type: 'unix', path: '/a' })).toBe(true);
});

for (const text of ['[::1]:80', 'a.example:0', '/run/a', './a', 'fd:3', 'fd:web']) {
  test(`${text} is shown as it is written`, () => {
    expect(formatAddress(parseListenSpec(text) as ListenAddress)).toBe(text);
  });
}
