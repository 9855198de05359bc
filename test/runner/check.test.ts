import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { ServerOptions } from '../../src/config/settings.ts';
import { check, type CheckRequest } from '../../src/runner/check.ts';
import { PLAIN_PROCESS } from '../../src/runner/program.ts';
import { readSettings } from '../../src/runner/read-settings.ts';
import { certificateFile, keyFile } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let mode: string | undefined;

beforeEach(() => void (mode = process.env['TSAGI_ENV']));

afterEach(() => {
  if (mode === undefined) delete process.env['TSAGI_ENV'];
  else process.env['TSAGI_ENV'] = mode;
});

const APP = "export default () => { throw new Error('the app was called'); };";

async function checked(
  options: ServerOptions,
  rest: Partial<CheckRequest> & { app?: string } = {},
): Promise<string> {
  using directory = temporaryDirectory();
  writeFileSync(directory.join('app.ts'), rest.app ?? APP);
  const settings = readSettings({ env: 'production', ...options });
  return await check({
    source: { app: 'app.ts', cwd: directory.path },
    settings,
    process: PLAIN_PROCESS,
    ...rest,
  });
}

test('it says what would be served where, by how many, and with which config', async () => {
  expect(await checked({})).toBe('app.ts can be served: production mode, 127.0.0.1:5000');
  const options: ServerOptions = { listen: ['[::1]:80', '/run/a.sock'], workers: 3, env: 'none' };
  expect(await checked(options, { configFile: 'tsagi.config.ts' })).toBe(
    'app.ts can be served with tsagi.config.ts: no mode, [::1]:80, /run/a.sock, 3 workers',
  );
  expect(await checked({}, { source: { code: '() => {}' } })).toStartWith('the code after -e can be served');
});

test('the app is imported in the mode it would be served in, and not called', async () => {
  const app = "if (process.env.TSAGI_ENV !== 'development') throw new Error('wrong mode');\n" + APP;
  expect(await checked({ env: 'development' }, { app })).toContain('development mode');
  await expect(checked({}, { app })).rejects.toThrow('cannot load app.ts: Error: wrong mode');
});

test('an address that is taken is no concern of it', async () => {
  using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  expect(await checked({ port: other.port! })).toEndWith(`127.0.0.1:${other.port}`);
});

test('certificates are read', async () => {
  const tls = { certFile: certificateFile('server'), keyFile: keyFile('server') };
  expect(await checked(tls)).toContain('can be served');
  await expect(checked({ ...tls, certFile: '/nowhere.pem' })).rejects.toThrow(
    'certFile (--ssl-cert) /nowhere.pem cannot be read: there is no such file',
  );
  await expect(checked({ ...tls, keyFile: keyFile('client') })).rejects.toThrow(
    'is not the key of the certificate',
  );
});

test('a server module is loaded, and not made', async () => {
  using directory = temporaryDirectory();
  const write = (name: string, text: string): string => {
    writeFileSync(directory.join(name), text);
    return directory.join(name);
  };
  const good = write(
    'good.ts',
    "export class Server { constructor() { throw new Error('made'); } run() {} }",
  );
  expect(await checked({}, { serverModule: good })).toContain('can be served');
  const bad = write('bad.ts', 'export class Server {}');
  await expect(checked({}, { serverModule: bad })).rejects.toThrow('bad.ts has no server');
});

test('a user that is not there stands in the way', async () => {
  const process = { ...PLAIN_PROCESS, user: 'nobody-of-this-name' };
  await expect(checked({}, { process })).rejects.toThrow('there is no user nobody-of-this-name');
});
