import { describe, expect, test } from 'bun:test';
import { parseCommandLine, UsageError } from '../../src/cli/command-line.ts';

function optionsOf(...args: string[]) {
  return parseCommandLine(args).options;
}

function refusal(...args: string[]): string {
  try {
    parseCommandLine(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

describe('forms of flags', () => {
  test('a value stands behind the flag, or after = or right behind a short one', () => {
    for (const args of [['--port', '8080'], ['--port=8080'], ['-p', '8080'], ['-p8080'], ['-p=8080']]) {
      expect(optionsOf(...args)).toEqual({ port: 8080 });
    }
  });

  test('short flags without a value stand together, the last may take one', () => {
    expect(optionsOf('-qp8080')).toEqual({ quiet: true, port: 8080 });
    expect(optionsOf('-qo', '::1')).toEqual({ quiet: true, host: '::1' });
  });

  test('--no- turns a flag off, and the last of several uses counts', () => {
    expect(optionsOf('--no-server-header', '--no-access-log')).toEqual({
      serverHeader: false,
      accessLog: false,
    });
    expect(optionsOf('--no-server-header', '--server-header')).toEqual({ serverHeader: true });
    expect(optionsOf('--port=1', '-p2', '--access-log=a', '--access-log', 'b')).toEqual({
      port: 2,
      accessLog: 'b',
    });
    expect(optionsOf('--reuseport', '--no-reuseport')).toEqual({ reusePort: false });
  });

  test('a repeatable flag adds to its list', () => {
    expect(optionsOf('--listen', 'a:1', '--listen=./s', '--header', 'A:b', '--header', 'a: c ')).toEqual({
      listen: ['a:1', './s'],
      headers: [
        ['A', 'b'],
        ['a', 'c'],
      ],
    });
    expect(parseCommandLine(['-I', 'lib', '-Isrc', '-Ma', '-M', 'b'])).toMatchObject({
      appDirs: ['lib', 'src'],
      modules: ['a', 'b'],
    });
  });

  test('a value may contain = and begin with a dash that is no option', () => {
    expect(optionsOf('--access-log-format=%h=%s')).toEqual({ accessLogFormat: '%h=%s' });
    expect(optionsOf('--access-log', '-')).toEqual({ accessLog: true });
    expect(optionsOf('--access-log', '-x.log')).toEqual({ accessLog: '-x.log' });
    expect(optionsOf('--root-path=')).toEqual({ rootPath: '' });
  });
});

describe('values', () => {
  test('times and sizes take their units', () => {
    const seconds = (text: string) => optionsOf('--timeout', text).timeout;
    const bytes = (text: string) => optionsOf('--max-body-size', text).maxBodySize;
    expect(['0', '1.5', '500ms', '30s', '5m', '1h', '0.25s', '1100ms'].map(seconds)).toEqual([
      0, 1.5, 0.5, 30, 300, 3600, 0.25, 1.1,
    ]);
    expect(['0', '100', '64k', '16m', '1g', '64K'].map(bytes)).toEqual([
      0, 100, 65_536, 16_777_216, 1_073_741_824, 65_536,
    ]);
  });

  test('a header value goes out as the bytes that were typed', () => {
    expect(optionsOf('--header', 'x-name: Zoë').headers).toEqual([['x-name', 'Zo\u00c3\u00ab']]);
  });

  test('a socket mode is octal', () => {
    expect(optionsOf('--socket-mode', '0660').socketMode).toBe(0o660);
  });
});

describe('positionals', () => {
  test('the first is the app, the others are its arguments', () => {
    expect(parseCommandLine(['app.ts', 'root=/srv', '-p', '1', 'empty=', 'eq=a=b'])).toMatchObject({
      app: 'app.ts',
      appArguments: { root: '/srv', empty: '', eq: 'a=b' },
      options: { port: 1 },
    });
  });

  test('arguments alone belong to the app in the current directory, or to that of -a and -e', () => {
    expect(parseCommandLine(['root=.'])).toMatchObject({ app: undefined, appArguments: { root: '.' } });
    expect(parseCommandLine(['-a', 'x', 'root=.'])).toMatchObject({ app: 'x', appArguments: { root: '.' } });
    expect(parseCommandLine(['-e', 'x', 'root=.'])).toMatchObject({ code: 'x', appArguments: { root: '.' } });
  });

  test('after -- nothing is an option', () => {
    expect(parseCommandLine(['-q', '--', '--port', 'a=1'])).toMatchObject({
      app: '--port',
      appArguments: { a: '1' },
      options: { quiet: true },
    });
  });

  test('a key may be any name, also one that objects have', () => {
    expect(parseCommandLine(['__proto__=1', 'constructor=2']).appArguments).toEqual(
      Object.fromEntries([
        ['__proto__', '1'],
        ['constructor', '2'],
      ]),
    );
  });

  test('help and version are asked for by long and short flags', () => {
    for (const flag of ['--help', '-h']) expect(parseCommandLine([flag]).wantsHelp).toBe(true);
    for (const flag of ['--version', '-v']) expect(parseCommandLine([flag]).wantsVersion).toBe(true);
  });
});

describe('refusals', () => {
  const refused: [string[], string][] = [
    [['--prot', '80'], 'unknown option --prot; the nearest known one is --port'],
    [['--port-number=80'], 'unknown option --port-number; the nearest known one is'],
    [['--max-body', '1'], 'unknown option --max-body; the nearest known one is --max-body-size'],
    [['--no-port'], 'unknown option --no-port; the nearest known one is'],
    [['--no-acess-log'], 'unknown option --no-acess-log; the nearest known one is --no-access-log'],
    [['--worker', '2'], 'unknown option --worker; the nearest known one is --workers'],
    [['-w', '-1'], '--workers must be a whole number from 0 to 1000, or auto, not "-1"'],
    [['-w', 'all'], '--workers must be a whole number from 0 to 1000, or auto, not "all"'],
    [['--umask', '8'], '--umask must be an octal file mode such as 0660, not "8"'],
    [['--no-daemon'], 'unknown option --no-daemon; the nearest known one is --no-daemonize'],
    [['--check=app.ts'], '--check takes no value'],
    [['--http3'], 'unknown option --http3; the nearest known one is'],
    [['--extensions', '{}'], 'unknown option --extensions; the nearest known one is'],
    [['--Port', '1'], 'unknown option --Port; the nearest known one is --port'],
    [['--maxBodySize', '1'], 'unknown option --maxBodySize; the nearest known one is --max-body-size'],
    [['-P', '1'], 'unknown option -P; the nearest known one is -p'],
    [['-qz'], 'unknown option -z; --help lists the known ones'],
    [['--a\nb'], 'unknown option "--a\\nb"; the nearest known one is'],
    [['--port'], '--port needs a value'],
    [['-p'], '-p needs a value'],
    [['--port='], '--port needs a value'],
    [['--host='], '--host needs a value'],
    [['--port', '--quiet'], '--port needs a value'],
    [['--access-log', '-q'], '--access-log needs a value'],
    [['--port', '--'], '--port needs a value'],
    [['-e', '-p', '1'], '-e needs a value'],
    [['--quiet=true'], '--quiet takes no value'],
    [['--no-access-log=x'], '--no-access-log takes no value'],
    [['--port', '80a'], '--port must be a port number from 0 to 65535, not "80a"'],
    [['--port', '-1'], '--port must be a port number from 0 to 65535, not "-1"'],
    [['--port', '70000'], '--port must be a port number from 0 to 65535, not "70000"'],
    [['-p', '0x50'], '--port must be a port number from 0 to 65535, not "0x50"'],
    [
      ['--timeout', '1 s'],
      '--timeout must be a number of seconds, or a time such as 500ms, 30s, 5m, not "1 s"',
    ],
    [
      ['--timeout', '-5'],
      '--timeout must be a number of seconds, or a time such as 500ms, 30s, 5m, not "-5"',
    ],
    [
      ['--timeout', '64k'],
      '--timeout must be a number of seconds, or a time such as 500ms, 30s, 5m, not "64k"',
    ],
    [['--timeout', '1e9'], '--timeout must be a number of seconds'],
    [['--timeout', '9999h'], '--timeout must be a number of seconds'],
    [
      ['--max-body-size', '1.5m'],
      '--max-body-size must be a number of bytes, or a size such as 64k, 16m, 1g, not "1.5m"',
    ],
    [['--max-body-size', '30s'], '--max-body-size must be a number of bytes'],
    [['--max-body-size', '99999999999g'], '--max-body-size must be a number of bytes'],
    [['--max-connections', '1k'], '--max-connections must be a whole number, 0 or more, not "1k"'],
    [['--lifespan', 'maybe'], '--lifespan must be one of auto, on, off, not "maybe"'],
    [['-E', 'prod'], '--env must be one of development, production, none, not "prod"'],
    [['--header', 'no-colon'], '--header must be NAME:VALUE'],
    [['--header', 'x y: z'], '--header must be NAME:VALUE'],
    [['--header', 'x: a\nb: c'], '--header must be NAME:VALUE'],
    [['--header', 'content-length: 1'], '--header must be NAME:VALUE'],
    [['--socket-mode', '0888'], '--socket-mode must be an octal file mode such as 0660, not "0888"'],
    [['app.ts', 'other.ts'], 'unexpected argument "other.ts": what follows the app must be KEY=VALUE'],
    [['-a', 'app.ts', 'other.ts'], 'unexpected argument "other.ts"'],
    [['-e', 'x', 'app.ts'], 'unexpected argument "app.ts"'],
    [['-e', 'x', '-a', 'app.ts'], '--app and -e exclude each other'],
  ];
  for (const [args, message] of refused) {
    test(`${JSON.stringify(args.join(' '))} is refused in one line that names the option`, () => {
      const said = refusal(...args);
      expect(said).toStartWith(message);
      expect(said).not.toContain('\n');
    });
  }
});
