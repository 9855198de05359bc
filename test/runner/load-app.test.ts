import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppLoadError } from '../../src/runner/app-load-error.ts';
import { loadApp, type AppSource } from '../../src/runner/load-app.ts';

const APP = 'async (scope, receive, send) => {}';

const FILES: Record<string, string> = {
  'plain.ts': `export default ${APP};`,
  'named.js': `export const other = 1; export const app = ${APP};`,
  'both.ts': `export default { name: 'not me' }; export const app = Object.assign(${APP}, { tag: 'app' });`,
  'two.ts': `export const blue = Object.assign(${APP}, { tag: 'blue' }); export default ${APP};`,
  'few.ts': 'export default async () => {};',
  'factory.ts': `export default (args) => Object.assign(${APP}, { args });`,
  'async-factory.ts': `export async function createApp(args) { await null; return Object.assign(${APP}, { args }); }`,
  'default-factory.ts': `export default function createApp(args) { return Object.assign(${APP}, { args }); }`,
  'bad-factory.ts': 'export const createApp = () => ({});',
  'throwing-factory.ts': "export const createApp = () => {\n  throw new Error('no config');\n};",
  'common.js': `module.exports = ${APP};`,
  'object.ts': 'export default { port: 1 };',
  'fetch.ts': 'export default { fetch() { return new Response(); } };',
  'class.ts': 'export default class Thing {}',
  'nothing.ts': 'export const foo = 1, bar = 2;',
  'empty.ts': 'export {};',
  'syntax.ts': 'const fine = 1;\nexport default async (scope) => { const x = ; };\n',
  'two-syntax-errors.ts': 'export const = ;\n',
  'imports-syntax.ts': "import './syntax.ts';\nexport default async () => {};\n",
  'throws.ts':
    "function connect() {\n  throw new TypeError('no database');\n}\nconnect();\nexport default connect;\n",
  'throws-string.ts': "throw 'just a string';",
  'caused.ts': "throw new Error('outer', { cause: new Error('inner') });",
  'missing-import.ts': "import { a } from 'node:fs';\nimport b from './nowhere.ts';\nexport default b;\n",
  'a:b.ts': `export default ${APP};`,
  'lib/shared.ts': `export default Object.assign(${APP}, { tag: 'lib' });`,
  'lib/plain.ts': `export default Object.assign(${APP}, { tag: 'lib' });`,
  'with-app/app.ts': `export default Object.assign(${APP}, { tag: 'app.ts' });`,
  'with-app/index.ts': "throw new Error('not this one');",
  'with-src/src/app.ts': `export default Object.assign(${APP}, { tag: 'src' });`,
  'with-index/index.ts': `export default Object.assign(${APP}, { tag: 'index' });`,
  'bare/readme.txt': '',
  'setup.ts': 'globalThis.setUp = (globalThis.setUp ?? 0) + 1;',
  'node_modules/packaged/package.json':
    '{ "name": "packaged", "exports": { ".": "./main.ts", "./more": "./more.ts" } }',
  'node_modules/packaged/main.ts': `export default Object.assign(${APP}, { tag: 'package' });`,
  'node_modules/packaged/more.ts': `export const extra = Object.assign(${APP}, { tag: 'more' });`,
};

let cwd: string;

beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'tsagi-load-')));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
});

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function load(app: string | undefined, more: AppSource = {}) {
  return (await loadApp({ cwd, app, ...more })) as unknown as {
    tag?: string;
    args?: unknown;
    length: number;
  };
}

async function refusal(app: string | undefined, more: AppSource = {}): Promise<string> {
  try {
    await load(app, more);
  } catch (error) {
    if (error instanceof AppLoadError) return error.message;
    throw error;
  }
  throw new Error(`loaded: ${app}`);
}

describe('finding the module', () => {
  test('a path is taken relative, absolute, and without its extension', async () => {
    for (const app of [
      'plain.ts',
      './plain.ts',
      'plain',
      join(cwd, 'plain.ts'),
      'named.js',
      'named',
      'common.js',
    ]) {
      expect((await load(app)).length).toBe(3);
    }
  });

  test('a directory stands for the first of app.ts, app.js, src/app.ts, index.ts in it', async () => {
    expect((await load('with-app')).tag).toBe('app.ts');
    expect((await load('./with-src/')).tag).toBe('src');
    expect((await load('with-index')).tag).toBe('index');
    expect((await load(undefined, { cwd: join(cwd, 'with-app') })).tag).toBe('app.ts');
  });

  test('the directories of -I come before the current one', async () => {
    expect((await load('plain.ts', { appDirs: ['lib'] })).tag).toBe('lib');
    expect((await load('shared', { appDirs: ['bare', 'lib'] })).tag).toBe('lib');
    expect((await load('plain.ts', { appDirs: ['bare'] })).tag).toBeUndefined();
  });

  test('a package is found by name, and its exports by subpath', async () => {
    expect((await load('packaged')).tag).toBe('package');
    expect((await load('packaged/more:extra')).tag).toBe('more');
  });

  test('what was looked for is listed when nothing is there', async () => {
    expect(await refusal('absent')).toBe(
      'cannot find the app absent; looked for absent, absent.ts, absent.js, a package named absent',
    );
    expect(await refusal('./absent.ts')).toStartWith('cannot find the app ./absent.ts; looked for absent.ts');
    expect(await refusal('absent.ts:app')).toStartWith(
      'cannot find the app absent.ts; looked for absent.ts, a package',
    );
    expect(await refusal('x', { appDirs: ['lib'] })).toContain(
      'looked for lib/x, lib/x.ts, lib/x.js, x, x.ts',
    );
    expect(await refusal(undefined, { cwd: join(cwd, 'bare') })).toBe(
      'cannot find the app .; looked for app.ts, app.js, src/app.ts, index.ts',
    );
  });

  test('modules of -M are imported before the app', async () => {
    await load('plain.ts', { modules: ['./setup.ts'] });
    expect((globalThis as { setUp?: number }).setUp).toBe(1);
    expect(await refusal('plain.ts', { modules: ['./gone.ts'] })).toStartWith(
      'cannot find the module ./gone.ts',
    );
    expect(await refusal('plain.ts', { modules: ['throws.ts'] })).toStartWith(
      'cannot load throws.ts: TypeError',
    );
  });
});

describe('choosing the export', () => {
  test('a name after the colon chooses it', async () => {
    expect((await load('two.ts:blue')).tag).toBe('blue');
    expect((await load('two.ts:default')).tag).toBeUndefined();
    expect(await refusal('two.ts:red')).toBe('two.ts has no export named red; it exports {blue, default}');
  });

  test('a file whose name has a colon is a file', async () => {
    expect((await load('a:b.ts')).length).toBe(3);
  });

  test('the export app is taken where the default export is no function', async () => {
    expect((await load('both.ts')).tag).toBe('app');
  });

  test('an app with fewer parameters is still an app', async () => {
    expect((await load('few.ts')).length).toBe(0);
  });

  test('what is there instead of an app is said', async () => {
    expect(await refusal('nothing.ts')).toBe(
      'nothing.ts has no app: it exports {bar, foo}; none is the default export or named app or createApp',
    );
    expect(await refusal('empty.ts')).toContain('it exports nothing');
    expect(await refusal('object.ts')).toBe(
      'object.ts has no app: it exports {default}; its default export is an object',
    );
    expect(await refusal('fetch.ts')).toContain('an object with fetch(), which is not supported yet');
    expect(await refusal('class.ts')).toBe('the default export of class.ts is a class, not an app function');
    expect(await refusal('nothing.ts:foo')).toBe(
      'the export foo of nothing.ts is a number, not an app function',
    );
  });
});

describe('factories', () => {
  const appArguments = { root: '/srv' };

  test('arguments make the export a factory', async () => {
    expect((await load('factory.ts', { appArguments })).args).toEqual(appArguments);
    expect((await load('factory.ts')).args).toBeUndefined();
  });

  test('the name createApp makes a factory without arguments too', async () => {
    expect((await load('async-factory.ts')).args).toEqual({});
    expect((await load('async-factory.ts:createApp', { appArguments })).args).toEqual(appArguments);
    expect((await load('default-factory.ts')).args).toEqual({});
  });

  test('an app that gets arguments, and a factory that yields no app, are refused', async () => {
    expect(await refusal('plain.ts', { appArguments })).toBe(
      'the default export of plain.ts takes 3 parameters, and KEY=VALUE arguments are for a factory',
    );
    expect(await refusal('bad-factory.ts')).toBe(
      'the export createApp of bad-factory.ts was called as a factory and returned an object, not an app function',
    );
  });

  test('a factory that throws shows its place', async () => {
    expect(await refusal('throwing-factory.ts')).toContain('at createApp (throwing-factory.ts:2:');
  });
});

describe('files that fail', () => {
  test('a syntax error shows file, line, column and the code', async () => {
    expect(await refusal('syntax.ts')).toBe(
      [
        'cannot load syntax.ts: Unexpected ;',
        '  syntax.ts',
        '  1 | const fine = 1;',
        '  2 | export default async (scope) => { const x = ; };',
        `      ${' '.repeat(44)}^`,
        '    at syntax.ts:2:45',
      ].join('\n'),
    );
  });

  test('a syntax error further down is placed where it is', async () => {
    const message = await refusal('imports-syntax.ts');
    expect(message).toStartWith('cannot load imports-syntax.ts: Unexpected ;');
    expect(message).toContain('at syntax.ts:2:45');
  });

  test('of several syntax errors in a file the first is shown', async () => {
    const message = await refusal('two-syntax-errors.ts');
    expect(message).toStartWith('cannot load two-syntax-errors.ts: Expected identifier but found "="\n');
    expect(message).toEndWith('    at two-syntax-errors.ts:1:14');
  });

  test('a throw on import shows the frames of the app and none of the server', async () => {
    const message = await refusal('throws.ts');
    expect(message).toStartWith('cannot load throws.ts: TypeError: no database\n  throws.ts\n');
    expect(message).toContain("  2 |   throw new TypeError('no database');\n");
    expect(message).toEndWith('    at connect (throws.ts:2:13)\n    at throws.ts:4:1');
  });

  test('a missing import is placed in the file that imports it', async () => {
    const message = await refusal('missing-import.ts');
    expect(message).toStartWith("cannot load missing-import.ts: Cannot find module './nowhere.ts'");
    expect(message).toEndWith('    at missing-import.ts:2:15');
  });

  test('a thrown value that is no error, and a cause, are shown', async () => {
    expect(await refusal('throws-string.ts')).toContain('it threw "just a string"');
    expect(await refusal('caused.ts')).toContain('caused by Error: inner');
  });
});

describe('code after -e', () => {
  test('an expression yields the app', async () => {
    for (const code of [
      APP,
      `${APP};`,
      'async function (scope) {}',
      '(scope) => {}',
      'function named(scope) {}',
    ]) {
      expect(await load(undefined, { code })).toBeFunction();
    }
  });

  test('text with an export is a module, and imports resolve from the current directory', async () => {
    const code = "import shared from './lib/shared.ts';\nexport const app: unknown = shared;";
    expect((await load(undefined, { code })).tag).toBe('lib');
  });

  test('it may use types, wait, and be a factory', async () => {
    const code = `(args: Record<string, string>) => Object.assign(${APP}, { args })`;
    expect((await load(undefined, { code, appArguments: { a: '1' } })).args).toEqual({ a: '1' });
  });

  test('what it yields instead of an app, and where it fails, is said', async () => {
    expect(await refusal(undefined, { code: '42' })).toBe(
      'the code after -e has no app: it exports {default}; its default export is a number',
    );
    expect(await refusal(undefined, { code: "import './plain.ts'; 1" })).toContain(
      'needs an `export default`',
    );
    const thrown = await refusal(undefined, { code: "(() => { throw new Error('early') })()" });
    expect(thrown).toStartWith('cannot load the code after -e: Error: early');
    expect(thrown).toMatch(/at \[-e( \d+)?\]\.ts:1:\d+/);
    expect(await refusal(undefined, { code: 'async (scope => {}' })).toStartWith(
      'cannot load the code after -e: ',
    );
  });
});
