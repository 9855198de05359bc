import { expect, test } from 'bun:test';
import { readConfigFile } from '../../src/config/config-file.ts';
import { OptionError } from '../../src/config/option-error.ts';
import type { TsagiConfig } from '../../src/index.ts';

function refusal(values: object): string {
  try {
    readConfigFile('etc/tsagi.config.ts', values);
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

test('options and what the command takes are given by name, with the values of code', () => {
  const config = {
    port: 0,
    workers: 'auto',
    headers: [['x-a', 'b']],
    extensions: { fullflush: { depth: 1 } },
    socketMode: '0660',
    listenerBacklog: undefined,
    app: 'src/app.ts',
    appDirs: ['lib'],
    modules: ['m'],
    server: './own.ts',
    pid: 'p',
    user: 'www-data',
    group: 'www-data',
    umask: 0o27,
    daemonize: false,
  } satisfies TsagiConfig;
  expect(readConfigFile('tsagi.config.ts', config).values).toEqual(config);
});

test.each([
  [{ port: '8080' }, 'port in etc/tsagi.config.ts must be a port number from 0 to 65535, not "8080"'],
  [
    { timeout: '30s' },
    'timeout in etc/tsagi.config.ts must be a number of seconds from 0 to 2147483, not "30s"',
  ],
  [{ prot: 80 }, 'unknown option prot in etc/tsagi.config.ts; the nearest known one is port'],
  [{ prot: undefined }, 'unknown option prot in etc/tsagi.config.ts; the nearest known one is port'],
  [{ ['__proto__']: 1 }, 'unknown option __proto__ in etc/tsagi.config.ts; the nearest known one is'],
  [{ constructor: 1 }, 'unknown option constructor in etc/tsagi.config.ts; the nearest known one is'],
  [{ check: true }, 'check in etc/tsagi.config.ts is not for a config file: give it on the command line'],
  [{ config: 'a.ts' }, 'config in etc/tsagi.config.ts is not for a config file: give it on the command line'],
  [{ code: 'x' }, 'code in etc/tsagi.config.ts is not for a config file: give it on the command line'],
  [{ user: 1000 }, 'user in etc/tsagi.config.ts must be a string that is not empty, not 1000'],
  [
    { extensions: { fullflush: { at: new Date(0) } } },
    'extensions in etc/tsagi.config.ts must be plain data, which workers can be sent, not {"fullflush":',
  ],
  [
    { extensions: { fullflush: { call() {} } } },
    'extensions in etc/tsagi.config.ts must be plain data, which workers can be sent, not {"fullflush":{}}',
  ],
] satisfies [object, string][])('%j is refused, naming the file', (values, message) => {
  expect(refusal(values)).toStartWith(message);
});
