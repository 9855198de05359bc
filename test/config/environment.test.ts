import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import {
  describeUnknownVariable,
  readEnvironment,
  variableName,
  type Environment,
} from '../../src/config/environment.ts';

const valuesOf = (env: Environment) => readEnvironment(env).source.values;

function refusal(env: Environment): string {
  try {
    readEnvironment(env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('accepted');
}

test('a variable is the name of its option in upper snake case, behind TSAGI_', () => {
  expect(variableName('port')).toBe('TSAGI_PORT');
  expect(variableName('maxWsFrameSize')).toBe('TSAGI_MAX_WS_FRAME_SIZE');
  expect(variableName('h2RstRate')).toBe('TSAGI_H2_RST_RATE');
});

describe('values', () => {
  test('what a flag without a value says is said by words, in either case', () => {
    const words: [string, boolean][] = [
      ...['1', 'true', 'on', 'yes', 'YES', 'True'].map((word): [string, boolean] => [word, true]),
      ...['0', 'false', 'off', 'no', 'NO', 'Off'].map((word): [string, boolean] => [word, false]),
    ];
    for (const [word, value] of words) expect(valuesOf({ TSAGI_HTTP2: word })).toEqual({ http2: value });
  });

  test('the access log is a file, - for standard error, or off', () => {
    const log = (text: string) => valuesOf({ TSAGI_ACCESS_LOG: text })['accessLog'];
    expect(['off', '0', 'no', '-', 'on', '1', 'a.log', './off'].map(log)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      'a.log',
      './off',
    ]);
  });

  test('lists are separated by commas or blanks', () => {
    expect(
      valuesOf({
        TSAGI_LISTEN: 'a:1, [::1]:2  /s',
        TSAGI_APP_DIRS: 'lib,src',
        TSAGI_MODULES: 'm',
        TSAGI_EXTENSIONS: 'fullflush, other',
      }),
    ).toEqual({
      listen: ['a:1', '[::1]:2', '/s'],
      appDirs: ['lib', 'src'],
      modules: ['m'],
      extensions: { fullflush: {}, other: {} },
    });
  });

  test('headers stand on lines of their own', () => {
    expect(valuesOf({ TSAGI_HEADERS: 'X-A: b, c\r\n\nX-D:e\n' })).toEqual({
      headers: [
        ['X-A', 'b, c'],
        ['X-D', 'e'],
      ],
    });
  });

  test('an empty variable is not set, also one that would be refused', () => {
    expect(
      valuesOf({ TSAGI_PORT: '', TSAGI_ENV: '', TSAGI_QUIET: '', TSAGI_SSL_CERT: '', TSAGI_OTHER: '' }),
    ).toEqual({});
    expect(readEnvironment({ TSAGI_OTHER: '' }).unknown).toEqual([]);
  });

  test("what does not begin with TSAGI_ is nobody's", () => {
    expect(readEnvironment({ PORT: '1', tsagi_port: '1', MY_TSAGI_PORT: '1' })).toMatchObject({
      source: { values: {} },
      unknown: [],
    });
  });
});

describe('refusals', () => {
  const refused: [Environment, string][] = [
    [
      { TSAGI_PORT: '80a' },
      'the environment variable TSAGI_PORT must be a port number from 0 to 65535, not "80a"',
    ],
    [
      { TSAGI_TIMEOUT: 'soon' },
      'the environment variable TSAGI_TIMEOUT must be a number of seconds, or a time such as 500ms, 30s, 5m, not "soon"',
    ],
    [
      { TSAGI_QUIET: 'maybe' },
      'the environment variable TSAGI_QUIET must be one of 1, true, on, yes, 0, false, off, no, not "maybe"',
    ],
    [
      { TSAGI_WORKERS: 'all' },
      'the environment variable TSAGI_WORKERS must be a whole number from 0 to 1000, or auto, not "all"',
    ],
    [
      { TSAGI_ENV: 'prod' },
      'the environment variable TSAGI_ENV must be one of development, production, none, not "prod"',
    ],
    [
      { TSAGI_HEADERS: 'X-A: b\nno colon' },
      'the environment variable TSAGI_HEADERS must be lines of NAME:VALUE, valid HTTP fields that do not frame the message, not "X-A: b\\nno colon"',
    ],
    [
      { TSAGI_SSL_CERT: 'a.pem' },
      'the environment variable TSAGI_SSL_CERT must be named TSAGI_CERT_FILE: it stands for --ssl-cert',
    ],
    [
      { TSAGI_REUSEPORT: '1' },
      'the environment variable TSAGI_REUSEPORT must be named TSAGI_REUSE_PORT: it stands for --reuseport',
    ],
  ];
  test.each(refused)('%j is refused, saying why', (env, message) => {
    expect(refusal(env)).toBe(message);
  });
});

describe('variables that stand for no option', () => {
  test('are told of, with the nearest one that does', () => {
    const { source, unknown } = readEnvironment({ TSAGI_PROT: '1', TSAGI_MAX_BODY: '1', TSAGI_TIMEOUT: '5' });
    expect(source.values).toEqual({ timeout: 5 });
    expect(unknown.map(describeUnknownVariable)).toEqual([
      'the environment variable TSAGI_PROT is no option of this server; the nearest one is TSAGI_PORT',
      'the environment variable TSAGI_MAX_BODY is no option of this server; the nearest one is TSAGI_MAX_BODY_SIZE',
    ]);
  });

  test('what can only be given on the command line is one of them', () => {
    expect(readEnvironment({ TSAGI_CHECK: '1', TSAGI_CODE: 'x' }).unknown).toEqual([
      'TSAGI_CHECK',
      'TSAGI_CODE',
    ]);
  });

  test('those that the processes of the server set for each other are not', () => {
    const directory = new URL('../../src/process/', import.meta.url).pathname;
    const text = readdirSync(directory)
      .map((name) => readFileSync(directory + name, 'utf8'))
      .join('');
    const internal = [...new Set([...text.matchAll(/'(TSAGI_\w+)'/g)].map((match) => match[1]!))];
    expect(internal.length).toBeGreaterThan(1);
    expect(readEnvironment(Object.fromEntries(internal.map((name) => [name, '1'])))).toMatchObject({
      source: { values: {} },
      unknown: [],
    });
  });
});
