import { describe, expect, test } from 'bun:test';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { ALL_OPTIONS, findOption } from '../../src/config/command-options.ts';
import { readConfigFile } from '../../src/config/config-file.ts';
import { longFlags } from '../../src/config/describe-option.ts';
import { readEnvironment, variableName } from '../../src/config/environment.ts';
import type { Kind } from '../../src/config/option-kinds.ts';
import { mergeSources, sortValues } from '../../src/config/read-sources.ts';
import { OPTIONS } from '../../src/config/options.ts';
import { parseOptions, type ServerOptions, type Settings } from '../../src/config/settings.ts';

interface Sources {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: object;
}

function merge({ args = [], env = {}, file = {} }: Sources) {
  return mergeSources([
    parseCommandLine(args).source,
    readEnvironment(env).source,
    readConfigFile('tsagi.config.ts', file),
  ]);
}

/** How one value of each kind is written in each source. */
interface Writing {
  readonly flag: string;
  readonly variable: string;
  readonly code: unknown;
}

const WRITINGS: Readonly<Record<Kind, Writing>> = {
  seconds: { flag: '90s', variable: '1.5m', code: 90 },
  bytes: { flag: '64k', variable: '64K', code: 65_536 },
  count: { flag: '7', variable: '7', code: 7 },
  port: { flag: '8080', variable: '8080', code: 8080 },
  workers: { flag: 'auto', variable: 'auto', code: 'auto' },
  host: { flag: '::1', variable: '::1', code: '::1' },
  socketPath: { flag: '/run/a.sock', variable: '/run/a.sock', code: '/run/a.sock' },
  socketMode: { flag: '0660', variable: '660', code: 0o660 },
  listen: { flag: 'a:1', variable: 'a:1', code: ['a:1'] },
  rootPath: { flag: '/mount', variable: '/mount', code: '/mount' },
  string: { flag: 'text', variable: 'text', code: 'text' },
  strings: { flag: 'text', variable: 'text', code: ['text'] },
  choice: { flag: '', variable: '', code: '' },
  flag: { flag: '', variable: 'yes', code: true },
  logFile: { flag: 'a.log', variable: 'a.log', code: 'a.log' },
  headers: { flag: 'X-A: b', variable: 'X-A: b', code: [['X-A', 'b']] },
  record: { flag: '', variable: 'fullflush', code: { fullflush: {} } },
};

function writingOf(name: string): Writing {
  const { kind, choices } = findOption(name)!;
  const choice = choices?.at(-1);
  return choice === undefined ? WRITINGS[kind] : { flag: choice, variable: choice, code: choice };
}

describe('every option of the tables', () => {
  for (const [name, row] of ALL_OPTIONS) {
    const { flag, variable, code } = writingOf(name);

    if (!row.isCodeOnly && row.group !== 'Help') {
      test(`${name} comes from the command line`, () => {
        const given = longFlags(name, row)[0] ?? `-${row.short}`;
        const args = row.kind === 'flag' ? [given] : [given, flag];
        expect(merge({ args }).values).toEqual({ [name]: code });
      });
    }

    if (!row.notIn?.includes('environment')) {
      test(`${name} comes from the environment`, () => {
        // Without TLS the passphrase is nobody's.
        const { keyFile: _, ...values } = merge({
          env: { [variableName(name)]: variable, TSAGI_KEY_FILE: 'text' },
        }).values;
        expect(values).toEqual(name === 'keyFile' ? {} : { [name]: code });
      });

      test(`${name} is not set by an empty variable`, () => {
        expect(merge({ env: { [variableName(name)]: '' } }).values).toEqual({});
      });
    }

    if (!row.notIn?.includes('file')) {
      test(`${name} comes from the config file`, () => {
        expect(merge({ file: { [name]: code } }).values).toEqual({ [name]: code });
      });
    }
  }

  test('no two options share a variable', () => {
    const names = ALL_OPTIONS.map(([name]) => variableName(name));
    expect(new Set(names).size).toBe(names.length);
  });

  test("all of the server's options come from the environment and the config file, and all that are not for code alone from the command line", () => {
    expect(Object.values(OPTIONS).filter((row) => 'notIn' in row)).toEqual([]);
    const inCodeOnly = Object.entries(OPTIONS).filter(([, row]) => 'isCodeOnly' in row);
    expect(inCodeOnly.map(([name]) => name)).toEqual(['passphrase', 'extensions']);
  });
});

describe('precedence', () => {
  test('the command line is over the environment, and that over the config file', () => {
    const args = ['--port', '1'];
    const env = { TSAGI_PORT: '2', TSAGI_TIMEOUT: '2' };
    const file = { port: 3, timeout: 3, headerTimeout: 3 };
    expect(merge({ args, env, file }).values).toEqual({ port: 1, timeout: 2, headerTimeout: 3 });
  });

  test('a list of a higher source replaces one of a lower', () => {
    const file = { headers: [['x-file', '1']] };
    expect(merge({ args: ['--header', 'x-flag: 1'], file }).values).toEqual({ headers: [['x-flag', '1']] });
  });

  const replaced: [string, Sources, object][] = [
    [
      'a socket replaces host and port',
      { args: ['--socket', '/s'], env: { TSAGI_PORT: '1', TSAGI_HOST: 'a' } },
      { socket: '/s' },
    ],
    ['a port replaces a socket', { env: { TSAGI_PORT: '1' }, file: { socket: '/s' } }, { port: 1 }],
    [
      'an address replaces both',
      { args: ['--listen', 'a:1'], env: { TSAGI_SOCKET: '/s' }, file: { port: 1 } },
      { listen: ['a:1'] },
    ],
    [
      'a host stands beside a port of a lower source, also where it has replaced a socket between them',
      { args: ['--host', 'a'], env: { TSAGI_SOCKET: '/s' }, file: { port: 1 } },
      { host: 'a', port: 1 },
    ],
    [
      'code replaces an app',
      { args: ['-e', 'x'], env: { TSAGI_APP: 'a' }, file: { app: 'b' } },
      { code: 'x' },
    ],
    [
      'an app as argument replaces others',
      { args: ['c'], env: { TSAGI_APP: 'a' }, file: { app: 'b' } },
      { app: 'c' },
    ],
  ];
  test.each(replaced)('%s', (_name, sources, values) => {
    expect(merge(sources).values).toEqual(values as Record<string, unknown>);
  });

  test('what excludes each other excludes within one source, by the names of that source', () => {
    const both: [Sources, string][] = [
      [
        { args: ['--port', '1', '--socket', '/s'] },
        '--port and --socket exclude each other: give one of them',
      ],
      [
        { env: { TSAGI_PORT: '1', TSAGI_SOCKET: '/s' } },
        'the environment variable TSAGI_PORT and the environment variable TSAGI_SOCKET exclude each other: give one of them',
      ],
      [
        { file: { port: 1, socket: '/s' } },
        'port in tsagi.config.ts and socket in tsagi.config.ts exclude each other: give one of them',
      ],
      [
        { args: ['--listen', 'a:1'], file: { port: 1, socket: '/s' } },
        'port in tsagi.config.ts and socket in tsagi.config.ts exclude each other: give one of them',
      ],
    ];
    for (const [sources, message] of both) expect(() => merge(sources)).toThrow(message);
  });

  test('a passphrase of the environment is left out without a key, one of the config file is not', () => {
    const env = { TSAGI_PASSPHRASE: 'p' };
    expect(merge({ env }).values).toEqual({});
    expect(merge({ env, file: { keyFile: 'k', passphrase: 'q' } }).values).toMatchObject({ passphrase: 'p' });
    expect(merge({ file: { passphrase: 'q' } }).values).toEqual({ passphrase: 'q' });
  });
});

describe('labels', () => {
  const refusal = (sources: Sources): string => {
    const { values, label } = merge(sources);
    try {
      parseOptions(sortValues(values).options, { label });
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('accepted');
  };

  test('an error that needs several options names each by its source', () => {
    expect(
      refusal({ args: ['--write-high-watermark', '10'], env: { TSAGI_WRITE_LOW_WATERMARK: '11' } }),
    ).toBe(
      'the environment variable TSAGI_WRITE_LOW_WATERMARK must be at most --write-high-watermark, which is 10, not 11',
    );
    expect(refusal({ file: { certFile: 'c' } })).toBe(
      'certFile in tsagi.config.ts must be given together with --ssl-key',
    );
  });
});

test('what is asked for is sorted by who needs it', () => {
  const args = [
    'app.ts',
    '-I',
    'lib',
    '-M',
    'm',
    '-s',
    'own',
    '-D',
    '--pid',
    'p',
    '--user',
    'u',
    '--group',
    'g',
  ];
  const { values } = merge({ args, file: { umask: '027', port: 1 } });
  expect(sortValues(values)).toEqual({
    options: { port: 1 },
    app: 'app.ts',
    code: undefined,
    server: 'own',
    modules: ['m'],
    appDirs: ['lib'],
    process: { daemonize: true, pidFile: 'p', user: 'u', group: 'g', umask: 0o27 },
  });
});

test('all options together are the same after a journey to a worker', () => {
  const names = Object.keys(OPTIONS).filter((name) => !['host', 'port', 'socket', 'lifespan'].includes(name));
  const file: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, writingOf(name).code]));
  Object.assign(file, { writeLowWatermark: 1, h2MaxFrameSize: 16_384, listen: ['a:1', 'https:///s'] });
  const options = sortValues(merge({ file }).values).options;
  expect(Object.keys(options).sort()).toEqual(names.sort());
  const surroundings = { env: {}, isTerminal: false, processors: 3 };
  const sent = JSON.parse(JSON.stringify(options)) as ServerOptions;
  expect(sent).toEqual(options);
  const settings = parseOptions(options, { surroundings });
  expect(parseOptions(sent, { surroundings })).toEqual(settings);
  expect(JSON.parse(JSON.stringify(settings)) as Settings).toEqual(settings);
});
