import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'bun:test';
import { OptionError } from '../../src/config/option-error.ts';
import { OPTIONS, type OptionName } from '../../src/config/options.ts';
import { parseOptions, type ServerOptions, type Settings } from '../../src/config/settings.ts';

const TERMINAL = { surroundings: { env: {}, isTerminal: true } };

function refusal(options: object): OptionError {
  try {
    parseOptions(options as ServerOptions, TERMINAL);
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error(`accepted: ${Bun.inspect(options)}`);
}

describe('defaults', () => {
  test('every option that has a default has it when nothing is given', () => {
    const settings: Record<string, unknown> = { ...parseOptions({}, TERMINAL) };
    const addresses = new Set(['host', 'port', 'socket', 'socketMode', 'listen']);
    for (const [name, row] of Object.entries(OPTIONS)) {
      if (addresses.has(name) || name === 'env' || name === 'reusePort') continue;
      expect([name, settings[name]]).toEqual([name, row.default]);
    }
    expect(settings['listeners']).toEqual([{ type: 'tcp', host: '127.0.0.1', port: 5000 }]);
    expect(settings['choosesAddresses']).toBe(false);
  });

  test('ports are shared between sockets where there are several workers, unless said otherwise', () => {
    const reusePort = (options: ServerOptions) => parseOptions(options, TERMINAL).reusePort;
    expect([0, 1, 2].map((workers) => reusePort({ workers }))).toEqual([false, false, true]);
    expect(reusePort({ reusePort: true })).toBe(true);
    expect(reusePort({ workers: 2, reusePort: false })).toBe(false);
  });

  test('auto is one worker for each processor that may be used', () => {
    const on = (processors: number) => ({ surroundings: { env: {}, isTerminal: true, processors } });
    expect(parseOptions({ workers: 'auto' }, on(3))).toMatchObject({ workers: 3, reusePort: true });
    expect(parseOptions({ workers: 'auto' }, on(1))).toMatchObject({ workers: 1, reusePort: false });
    expect(parseOptions({ workers: 'auto' }).workers).toBe(availableParallelism());
    expect(parseOptions({ workers: 3 }, on(1)).workers).toBe(3);
  });

  test('undefined is the same as not given', () => {
    expect(parseOptions({ port: undefined, timeout: undefined }, TERMINAL)).toEqual(
      parseOptions({}, TERMINAL),
    );
  });

  test('the mode is development on a terminal and production elsewhere, unless TSAGI_ENV or env says so', () => {
    const modeIn = (isTerminal: boolean, env: Record<string, string>, options: ServerOptions = {}) =>
      parseOptions(options, { surroundings: { env, isTerminal } }).env;
    expect(modeIn(true, {})).toBe('development');
    expect(modeIn(false, {})).toBe('production');
    expect(modeIn(true, { TSAGI_ENV: 'production' })).toBe('production');
    expect(modeIn(false, { TSAGI_ENV: '' })).toBe('production');
    expect(modeIn(true, { TSAGI_ENV: 'production' }, { env: 'none' })).toBe('none');
    expect(() => modeIn(true, { TSAGI_ENV: 'prod' })).toThrow(
      'the environment variable TSAGI_ENV must be one of development, production, none, not "prod"',
    );
  });

  test('the access log is off in production unless asked for', () => {
    expect(parseOptions({ env: 'development' }).accessLog).toBe(true);
    expect(parseOptions({ env: 'production' }).accessLog).toBe(false);
    expect(parseOptions({ env: 'production', accessLog: true }).accessLog).toBe(true);
    expect(parseOptions({ env: 'production', accessLog: 'a.log' }).accessLog).toBe('a.log');
  });

  test('a value that is given arrives as it is, false and 0 included', () => {
    const options = {
      listenerBacklog: 1,
      reusePort: true,
      workers: 2,
      maxRequests: 26,
      maxWorkerMemory: 27,
      heartbeatTimeout: 0,
      certFile: 'cert.pem',
      keyFile: 'key.pem',
      passphrase: 'secret',
      caFile: 'ca.pem',
      verifyClient: 'require',
      minVersion: 'TLSv1.3',
      ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
      handshakeTimeout: 1,
      limitConcurrency: 2,
      maxConnections: 3,
      timeout: 0,
      headerTimeout: 1.5,
      bodyTimeout: 0.25,
      requestTimeout: 4,
      writeTimeout: 5,
      shutdownTimeout: 6,
      lifespan: 'on',
      lifespanStartupTimeout: 0,
      lifespanShutdownTimeout: 7,
      drainDelay: 8,
      maxRequestLine: 9,
      maxHeaderSize: 10,
      maxHeaderCount: 11,
      maxBodySize: 0,
      writeHighWatermark: 12,
      writeLowWatermark: 12,
      syncFileThreshold: 0,
      maxReceiveQueue: 13,
      maxWsFrameSize: 14,
      maxWsMessageSize: 15,
      wsPingInterval: 16,
      wsPingTimeout: 17,
      wsIdleTimeout: 18,
      sseIdleTimeout: 19,
      wsCompression: true,
      http2: true,
      h2MaxConcurrentStreams: 20,
      h2InitialWindowSize: 21,
      h2MaxFrameSize: 16_385,
      h2MaxHeaderListSize: 23,
      h2EnableConnectProtocol: false,
      h2RstBurst: 24,
      h2RstRate: 25,
      accessLog: false,
      accessLogFormat: 'json',
      logLevel: 'debug',
      quiet: true,
      serverHeader: false,
      dateHeader: false,
      headers: [['x-a', 'b']],
      rootPath: '/mount',
      extensions: { fullflush: {} },
      env: 'none',
    } satisfies ServerOptions;
    const { listeners, choosesAddresses, ...rest } = parseOptions(options);
    expect(rest).toEqual(options as Omit<Settings, 'listeners' | 'choosesAddresses'>);
    expect(listeners).toHaveLength(1);
    expect(choosesAddresses).toBe(false);
  });

  test('whether the addresses were chosen is known, also where the choice is the default', () => {
    const chosen: ServerOptions[] = [
      { host: '127.0.0.1' },
      { port: 5000 },
      { socket: '/s' },
      { listen: 'a:1' },
    ];
    for (const options of chosen) expect(parseOptions(options).choosesAddresses).toBe(true);
    expect(parseOptions({ socketMode: 0o600, reusePort: true }).choosesAddresses).toBe(false);
  });
});

describe('where TLS is spoken', () => {
  const listen = ['a:1', 'http://a:2', 'https://a:3', '/a', 'http:///b', 'https:///c'];
  const secure = (options: ServerOptions) =>
    parseOptions(options).listeners.map((it) => it.isSecure === true);

  test('with a certificate: on TCP unless the address says http, on unix sockets where it says https', () => {
    const certificate = { certFile: 'c', keyFile: 'k' };
    expect(secure({ ...certificate, listen })).toEqual([true, false, true, false, false, true]);
    expect(secure({ ...certificate, port: 0 })).toEqual([true]);
    expect(secure({ ...certificate, socket: '/s' })).toEqual([false]);
  });

  test('without one: nowhere', () => {
    expect(secure({ listen: ['a:1', 'http://a:2', '/a'] })).toEqual([false, false, false]);
  });

  test('the passphrase comes from TSAGI_PASSPHRASE unless it is given', () => {
    const surroundings = { env: { TSAGI_PASSPHRASE: 'from outside' }, isTerminal: false };
    const certificate = { certFile: 'c', keyFile: 'k' };
    const passphrase = (options: ServerOptions) => parseOptions(options, { surroundings }).passphrase;
    expect(passphrase(certificate)).toBe('from outside');
    expect(passphrase({ ...certificate, passphrase: 'given' })).toBe('given');
    expect(passphrase({})).toBeUndefined();
  });
});

describe('refusals', () => {
  const refused: [object, string][] = [
    [{ port: '8080' }, 'option port must be a port number from 0 to 65535, not "8080"'],
    [{ port: 65536 }, 'option port must be a port number from 0 to 65535, not 65536'],
    [{ port: -1 }, 'option port must be a port number from 0 to 65535, not -1'],
    [{ port: 80.5 }, 'option port must be a port number from 0 to 65535, not 80.5'],
    [{ host: '' }, 'option host must be a host name or an IP address, without a port, not ""'],
    [{ host: 'a:80' }, 'option host must be a host name or an IP address, without a port, not "a:80"'],
    [{ timeout: -1 }, 'option timeout must be a number of seconds from 0 to 2147483, not -1'],
    [{ timeout: Number.NaN }, 'option timeout must be a number of seconds from 0 to 2147483, not NaN'],
    [{ timeout: Infinity }, 'option timeout must be a number of seconds from 0 to 2147483, not Infinity'],
    [{ timeout: '30s' }, 'option timeout must be a number of seconds from 0 to 2147483, not "30s"'],
    [{ maxBodySize: 1.5 }, 'option maxBodySize must be a whole number of bytes, 0 or more, not 1.5'],
    [{ maxBodySize: 10n }, 'option maxBodySize must be a whole number of bytes, 0 or more, not 10n'],
    [{ maxConnections: null }, 'option maxConnections must be a whole number, 0 or more, not null'],
    [{ quiet: 'yes' }, 'option quiet must be true or false, not "yes"'],
    [{ lifespan: true }, 'option lifespan must be one of auto, on, off, not true'],
    [{ logLevel: 'verbose' }, 'option logLevel must be one of error, warn, info, debug, not "verbose"'],
    [{ socketMode: 660 }, 'option socketMode must be an octal file mode such as 0660, not 660'],
    [{ socketMode: '9' }, 'option socketMode must be an octal file mode such as 0660, not "9"'],
    [
      { rootPath: 'mount' },
      'option rootPath must be \'\' or a path that begins with / and does not end with one, not "mount"',
    ],
    [
      { rootPath: '/' },
      'option rootPath must be \'\' or a path that begins with / and does not end with one, not "/"',
    ],
    [
      { accessLog: 1 },
      'option accessLog must be the name of a file, true for standard error, or false, not 1',
    ],
    [{ listen: [] }, 'option listen must be at least one address, not []'],
    [
      { listen: 'localhost' },
      'option listen must be HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME, with http:// or https:// in front or nothing, not "localhost"',
    ],
    [{ listen: ['a:1', 'http://a:1'] }, 'option listen must be a list without repeats, not "http://a:1"'],
    [
      { listen: ['a:1', 'https://a:2'] },
      'option listen asks for https, which needs option certFile and option keyFile',
    ],
    [{ certFile: 'c' }, 'option certFile must be given together with option keyFile'],
    [{ keyFile: 'k' }, 'option keyFile must be given together with option certFile'],
    [{ passphrase: 'p' }, 'option passphrase must be given together with option certFile'],
    [{ minVersion: 'TLSv1.3' }, 'option minVersion must be given together with option certFile'],
    [{ ciphers: 'HIGH' }, 'option ciphers must be given together with option certFile'],
    [{ certFile: '' }, 'option certFile must be a string that is not empty, not ""'],
    [
      { certFile: 'c', keyFile: 'k', verifyClient: 'require' },
      'option verifyClient must be given together with option caFile',
    ],
    [
      { certFile: 'c', keyFile: 'k', caFile: 'a' },
      'option caFile must be given together with option verifyClient optional or require',
    ],
    [{ caFile: 'a', verifyClient: 'optional' }, 'option caFile must be given together with option certFile'],
    [{ minVersion: 'TLSv1.1' }, 'option minVersion must be one of TLSv1.2, TLSv1.3, not "TLSv1.1"'],
    [{ listen: ['a:1', 'a:1'] }, 'option listen must be a list without repeats, not "a:1"'],
    [
      { listen: 'fd:03' },
      'option listen must be HOST:PORT, [IPV6]:PORT, /PATH, ./PATH, fd:NUMBER or fd:NAME, with http:// or https:// in front or nothing, not "fd:03"',
    ],
    [{ port: 1, socket: '/s' }, 'option port and option socket exclude each other: give one of them'],
    [{ host: 'a', listen: 'b:1' }, 'option host and option listen exclude each other: give one of them'],
    [{ listen: 'b:1', socket: '/s' }, 'option socket and option listen exclude each other: give one of them'],
    [
      { writeHighWatermark: 10, writeLowWatermark: 11 },
      'option writeLowWatermark must be at most option writeHighWatermark, which is 10, not 11',
    ],
    [
      { writeLowWatermark: 70_000 },
      'option writeLowWatermark must be at most option writeHighWatermark, which is 65536, not 70000',
    ],
    [
      { extensions: ['fullflush'] },
      'option extensions must be an object that maps a name to its details, such as { fullflush: {} }, not ["fullflush"]',
    ],
    [{ maxBodysize: 1 }, 'unknown option maxBodysize; the nearest known one is maxBodySize'],
    [{ worker: 2 }, 'unknown option worker; the nearest known one is workers'],
    [{ workers: 1001 }, 'option workers must be a whole number from 0 to 1000, or auto, not 1001'],
    [{ workers: -1 }, 'option workers must be a whole number from 0 to 1000, or auto, not -1'],
    [{ workers: 'all' }, 'option workers must be a whole number from 0 to 1000, or auto, not "all"'],
    [{ maxRequests: 'auto' }, 'option maxRequests must be a whole number, 0 or more, not "auto"'],
    [{ daemonize: true }, 'unknown option daemonize; the nearest known one is'],
    [{ constructor: 1 }, 'unknown option constructor; the nearest known one is'],
  ];
  for (const [options, message] of refused) {
    test(`${Bun.inspect(options, { compact: true })} is refused, saying why`, () => {
      expect(refusal(options).message).toStartWith(message);
    });
  }

  test('an OptionError is a TypeError that holds option, value and expectation', () => {
    const error = refusal({ timeout: 'x' });
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      name: 'OptionError',
      option: 'timeout',
      value: 'x',
      expectation: 'a number of seconds from 0 to 2147483',
    });
  });

  test('errors call options by the label that the caller gives', () => {
    const label = (name: OptionName) => `--${name}`;
    expect(() => parseOptions({ port: 1, socket: '/s' }, { label })).toThrow(
      '--port and --socket exclude each other',
    );
  });

  test('a value of any size or shape gives one line', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    for (const value of [cyclic, 'a\nb'.repeat(1000), () => {}, Symbol('x'), Array(5000).fill(1)]) {
      const { message } = refusal({ port: value });
      expect(message).not.toContain('\n');
      expect(message.length).toBeLessThan(200);
    }
  });
});

describe('header fields', () => {
  const refused = [
    [['', 'a']],
    [['x y', 'a']],
    [['x:', 'a']],
    [['x', 'a\r\nb: c']],
    [['x', 'a\0']],
    [['x', ' a']],
    [['x', 'a\t']],
    [['x', '€']],
    [['x', 1]],
    [['x']],
    [['x', 'a', 'b']],
    ['x: a'],
    [['Content-Length', '1']],
    [['transfer-encoding', 'chunked']],
    [['connection', 'close']],
  ];
  for (const headers of refused) {
    test(`${JSON.stringify(headers)} is refused`, () => {
      expect(refusal({ headers }).message).toStartWith(
        'option headers must be a list of [name, value] pairs',
      );
    });
  }

  test('names and values that RFC 9110 allows are taken as they are', () => {
    const headers: [string, string][] = [
      ['X-Frame-Options', 'DENY'],
      ['x-empty', ''],
      ["!#$%&'*+-.^_`|~9", 'tab\tand blank inside'],
      ['x-bytes', '\x80\xff'],
      ['x-one', 'a'],
    ];
    expect(parseOptions({ headers }).headers).toEqual(headers);
  });
});

describe('addresses', () => {
  test('host and port make one listener, with or without brackets', () => {
    expect(parseOptions({ host: '::1', port: 0 }).listeners).toEqual([{ type: 'tcp', host: '::1', port: 0 }]);
    expect(parseOptions({ host: '[::1]' }).listeners).toEqual([{ type: 'tcp', host: '::1', port: 5000 }]);
  });

  test('a socket gets its mode, written as a number or in octal', () => {
    const mode = 0o660;
    for (const socketMode of [mode, '0660', '660', '0o660']) {
      const { listeners } = parseOptions({ socket: './a.sock', socketMode });
      expect(listeners).toEqual([{ type: 'unix', path: './a.sock', mode }]);
    }
  });

  test('several addresses keep their order, and several ports may be picked', () => {
    const { listeners } = parseOptions({
      listen: ['localhost:0', 'localhost:0', '[::]:80', '/run/a.sock', './b', '../c'],
    });
    expect(listeners).toEqual([
      { type: 'tcp', host: 'localhost', port: 0 },
      { type: 'tcp', host: 'localhost', port: 0 },
      { type: 'tcp', host: '::', port: 80 },
      { type: 'unix', path: '/run/a.sock' },
      { type: 'unix', path: './b' },
      { type: 'unix', path: '../c' },
    ]);
  });
});

test('`::` serves IPv4 too, unless 0.0.0.0 with the same port is listed', () => {
  const hosts = (listen: string[]) =>
    parseOptions({ listen }).listeners.map((address) => 'isIPv6Only' in address && address.isIPv6Only);
  expect(hosts(['[::]:80', '0.0.0.0:81'])).toEqual([false, false]);
  expect(hosts(['[::]:80', '0.0.0.0:80'])).toEqual([true, false]);
  expect(hosts(['[::]:0', '0.0.0.0:0'])).toEqual([false, false]);
});

describe('inherited sockets', () => {
  test('are told by descriptor or by name', () => {
    expect(parseOptions({ listen: ['fd:3', 'http://fd:web'], socketMode: '600' }).listeners).toEqual([
      { type: 'fd', fd: 3 },
      { type: 'named', name: 'web' },
    ]);
  });

  test('speak TLS as the address says, or as their own kind will', () => {
    const listen = ['fd:3', 'https://fd:4', 'http://fd:5', 'fd:web'];
    expect(parseOptions({ listen, certFile: 'c', keyFile: 'k' }).listeners).toEqual([
      { type: 'fd', fd: 3, isSecure: 'on-tcp' },
      { type: 'fd', fd: 4, isSecure: true },
      { type: 'fd', fd: 5 },
      { type: 'named', name: 'web', isSecure: 'on-tcp' },
    ]);
  });
});

test('a high watermark below the default low one brings that down with it', () => {
  expect(parseOptions({ writeHighWatermark: 1000 }).writeLowWatermark).toBe(1000);
});
