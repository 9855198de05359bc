import { writeFileSync } from 'node:fs';
import { expect, test } from 'bun:test';
import { OptionError } from '../../src/config/option-error.ts';
import { AppLoadError } from '../../src/runner/app-load-error.ts';
import { loadConfig } from '../../src/runner/load-config.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Files {
  readonly [name: string]: string;
}

/** What loading gives in a directory with these files. */
async function load(files: Files, path?: string) {
  using directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) writeFileSync(directory.join(name), text);
  return await loadConfig({ path, label: '--config', cwd: directory.path });
}

async function refusal(files: Files, path?: string): Promise<Error> {
  return await load(files, path).then(
    (config) => Promise.reject(new Error(`accepted: ${Bun.inspect(config)}`)),
    (error: Error) => error,
  );
}

test('tsagi.config.ts is taken where there is one, and need not be there', async () => {
  expect(await load({ 'tsagi.config.ts': 'export default { port: 1 };' })).toEqual({
    shownAs: 'tsagi.config.ts',
    values: { port: 1 },
  });
  expect(await load({ 'app.ts': '' })).toBeUndefined();
});

test('a file that is named takes its place, and must be there', async () => {
  const files = {
    'tsagi.config.ts': 'export default { port: 1 };',
    'other.js': 'export default { port: 2 };',
  };
  expect(await load(files, 'other.js')).toEqual({ shownAs: 'other.js', values: { port: 2 } });
  const error = await refusal(files, 'absent.ts');
  expect(error).toBeInstanceOf(OptionError);
  expect(error.message).toBe('--config must be the name of a file that is there, not "absent.ts"');
});

test('a directory is no config file', async () => {
  expect((await refusal({}, '.')).message).toBe('--config must be the name of a file that is there, not "."');
});

test('a function is called, and its promise waited for', async () => {
  const config = (text: string) => load({ 'tsagi.config.ts': `export default ${text};` });
  expect((await config('() => ({ port: 1 })'))?.values).toEqual({ port: 1 });
  expect((await config('async () => { await null; return { port: 2 }; }'))?.values).toEqual({ port: 2 });
});

test.each([
  ['export const port = 1;', 'tsagi.config.ts has no default export: it must be an object of options'],
  ['export default [];', 'the default export of tsagi.config.ts gives []: it must be an object of options'],
  ['export default null;', 'the default export of tsagi.config.ts gives null: it must be'],
  ['export default () => 1;', 'the default export of tsagi.config.ts gives 1: it must be'],
  [
    "throw new Error('no vault');",
    'cannot load tsagi.config.ts: Error: no vault\n  tsagi.config.ts\n  1 | throw',
  ],
  [
    "export default () => {\n  throw new Error('no vault');\n};",
    'cannot load tsagi.config.ts: Error: no vault',
  ],
  [
    "export default () => Promise.reject(new Error('no vault'));",
    'cannot load tsagi.config.ts: Error: no vault',
  ],
  [
    'export default { port: };',
    'cannot load tsagi.config.ts: Unexpected }\n  tsagi.config.ts\n  1 | export default { port: };',
  ],
])('%j is refused as an app file would be', async (text, message) => {
  const error = await refusal({ 'tsagi.config.ts': text });
  expect(error).toBeInstanceOf(AppLoadError);
  expect(error.message).toStartWith(message);
});
