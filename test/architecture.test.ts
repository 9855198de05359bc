/**
 * The rules of docs/architecture.md that a program can check: who may import whom, where Bun's own API may appear, how long a
 * file may be, what the package exports, and what is in its tarball.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'bun:test';
import manifest from '../package.json' with { type: 'json' };
import { needs, programPath } from './support/program.ts';
import { runProgram } from './support/running-program.ts';

const ROOT = new URL('../', import.meta.url).pathname;

/** Which layers each layer may import, besides itself. The files directly in `src` count as a layer named `index`. */
const LAYERS: Record<string, readonly string[]> = {
  contract: [],
  wire: [],
  os: [],
  clock: [],
  log: [],
  transport: ['os', 'log', 'clock'],
  session: ['contract', 'wire', 'clock', 'log'],
  connection: ['contract', 'wire', 'session', 'transport', 'clock', 'log'],
  server: ['contract', 'session', 'transport', 'connection', 'os', 'clock', 'log'],
  process: ['os', 'clock', 'log'],
  config: ['transport'],
  lint: ['contract'],
  apps: ['contract'],
  adapters: ['contract'],
  runner: [
    'contract',
    'wire',
    'clock',
    'log',
    'os',
    'transport',
    'session',
    'connection',
    'server',
    'process',
    'config',
    'lint',
    'apps',
    'adapters',
  ],
  cli: ['config', 'runner'],
  index: ['contract', 'config', 'runner'],
};

const LAYERS_WITH_BUN = new Set(['os', 'transport', 'process', 'runner', 'apps', 'cli']);
const BUILT_IN_FOR_WIRE = new Set(['node:buffer', 'node:zlib', 'node:crypto']);
const MOST_LINES = 400;

interface SourceFile {
  /** From `src`, such as `wire/h1/errors.ts`. */
  readonly path: string;
  readonly layer: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  /** What its imports and re-exports name. */
  readonly imports: readonly string[];
}

const FILES: readonly SourceFile[] = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const text = readFileSync(`${ROOT}src/${path}`, 'utf8');
    const code = withoutComments(text);
    const imports = [...code.matchAll(/(?<!\.)\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      (match) => match[1]!,
    );
    return { path, layer: path.includes('/') ? path.split('/')[0]! : 'index', text, code, imports };
  });

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

/** The layer that a relative import leads to; undefined for packages and for files outside `src`. */
function importedLayer({ path }: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const { pathname } = new URL(specifier, `file:///src/${path}`);
  if (!pathname.startsWith('/src/')) return undefined;
  const inside = pathname.slice('/src/'.length);
  return inside.includes('/') ? inside.split('/')[0] : 'index';
}

/** One line for each thing found, with its file. */
function findings(look: (file: SourceFile) => Iterable<string>): string[] {
  return FILES.flatMap((file) => [...look(file)].map((found) => `${file.path}: ${found}`));
}

describe('layers', () => {
  test('sources are found', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(FILES.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
  });

  test('every folder of src is a known layer', () => {
    expect(findings(({ layer }) => (layer in LAYERS ? [] : [layer]))).toEqual([]);
  });

  test('a layer imports itself and what lies below it', () => {
    const wrong = findings((file) =>
      file.imports.filter((specifier) => {
        const layer = importedLayer(file, specifier);
        return layer !== undefined && layer !== file.layer && !LAYERS[file.layer]?.includes(layer);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('the contract consists of types', () => {
    const wrong = findings(({ layer, code }) =>
      layer === 'contract' ? (code.match(/^(import (?!type)|export (?!type|interface)).*$/gm) ?? []) : [],
    );
    expect(wrong).toEqual([]);
  });

  test('Bun is used in the layers for it', () => {
    const wrong = findings(({ layer, code, imports }) => {
      if (LAYERS_WITH_BUN.has(layer)) return [];
      return [...(code.match(/\bBun\.\w+/g) ?? []), ...imports.filter((name) => /^bun(:|$)/.test(name))];
    });
    expect(wrong).toEqual([]);
  });

  test('wire has no clock, no log and no I/O', () => {
    const wrong = findings(({ layer, code, imports }) => {
      if (layer !== 'wire') return [];
      const outside = imports.filter((name) => !name.startsWith('.') && !BUILT_IN_FOR_WIRE.has(name));
      const effects =
        /\b(Date\.now|new Date|performance|setTimeout|setInterval|setImmediate|console|process)\b/g;
      return [...outside, ...(code.match(effects) ?? [])];
    });
    expect(wrong).toEqual([]);
  });

  test('of the parts, config knows only how an address is written', () => {
    const wrong = findings(({ layer, imports }) =>
      layer === 'config'
        ? imports.filter((name) => name.startsWith('../') && name !== '../transport/listen-spec.ts')
        : [],
    );
    expect(wrong).toEqual([]);
  });

  test('the one package that is imported is the one that is declared', () => {
    const packages = FILES.flatMap(({ imports }) => imports).filter((name) => !/^(\.|node:|bun:)/.test(name));
    expect([...new Set(packages)]).toEqual(Object.keys(manifest.dependencies));
    expect(
      findings(({ layer, imports }) => (layer === 'cli' ? [] : imports.filter((name) => name === 'citty'))),
    ).toEqual([]);
  });
});

describe('files', () => {
  test('none is longer than 400 lines', () => {
    const long = findings(({ text }) => {
      const count = text.trimEnd().split('\n').length;
      return count > MOST_LINES ? [`${count} lines`] : [];
    });
    expect(long).toEqual([]);
  });

  test('none has a default export', () => {
    expect(findings(({ code }) => code.match(/^export default\b|\bas default\b/gm) ?? [])).toEqual([]);
  });

  test('each is named in kebab-case, after what it holds', () => {
    const wrong = FILES.filter(({ path }) =>
      path
        .replace(/\.ts$/, '')
        .split('/')
        .some(
          (name) =>
            !/^[a-z\d]+(-[a-z\d]+)*$/.test(name) || /^(utils?|helpers?|common|misc|shared)$/.test(name),
        ),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('each but the tables of exports opens with the rule it keeps', () => {
    expect(findings(({ text }) => (text.startsWith('/**\n') ? [] : ['no opening paragraph']))).toEqual([]);
  });
});

/** The table of exports in README.md: names in the first column. */
function documentedExports(kind: 'value' | 'type'): string[] {
  const readme = readFileSync(`${ROOT}README.md`, 'utf8');
  const rows = readme.matchAll(/^\| (`[^|]+`) +\| (value|type) +\|/gm);
  const names = [...rows].filter((row) => row[2] === kind).flatMap((row) => row[1]!.match(/\w+/g) ?? []);
  return names.sort();
}

/** The names of the types that src/index.ts exports. */
function exportedTypes(): string[] {
  const { code } = FILES.find(({ path }) => path === 'index.ts')!;
  const listed = [...code.matchAll(/export type \{([^}]+)\}/g)].flatMap(
    (match) => match[1]!.match(/\w+/g) ?? [],
  );
  const modules = new Set([...code.matchAll(/export type \* from '\.\/([^']+)'/g)].map((match) => match[1]!));
  const starred = FILES.filter(({ path }) => modules.has(path)).flatMap((file) =>
    [...file.code.matchAll(/^export (?:type|interface) (\w+)/gm)].map((match) => match[1]!),
  );
  return [...listed, ...starred].sort();
}

/** Event types follow their `type` strings, and are documented by those: `HttpRequestEvent` is `http.request`. */
const isEvent = (name: string): boolean => name.endsWith('Event');

describe('package', () => {
  test('its values are the documented ones', async () => {
    const exported = Object.keys((await import('tsagi-server')) as object).sort();
    expect(exported.length).toBeGreaterThan(0);
    expect(exported).toEqual(documentedExports('value'));
  });

  test('its types are the documented ones, and one for each event', () => {
    const exported = exportedTypes();
    expect(exported.filter(isEvent).length).toBeGreaterThan(30);
    expect(exported.filter((name) => !isEvent(name))).toEqual(documentedExports('type'));
  });

  test('its main entry is its only one', () => {
    expect(Object.keys(manifest.exports)).toEqual(['.']);
  });

  const expectOnlyWhatUsersNeed = (paths: readonly string[]): void => {
    const places = paths.map((path) => (path.includes('/') ? `${path.split('/')[0]}/` : path));
    expect([...new Set(places)].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin/', 'docs/', 'package.json', 'src/'].sort(),
    );
    const sources = paths.filter((path) => path.startsWith('src/')).sort();
    expect(sources).toEqual(FILES.map(({ path }) => `src/${path}`).sort());
    expect(paths.filter((path) => path.startsWith('bin/'))).toEqual(['bin/tsagi-server']);
    expect(paths.filter((path) => path.startsWith('docs/') && !path.endsWith('.md'))).toEqual([]);
  };

  test('bun packs what a user needs, and nothing else', async () => {
    const { output } = await runProgram([process.execPath, 'pm', 'pack', '--dry-run'], { cwd: ROOT });
    expectOnlyWhatUsersNeed([...output.matchAll(/^packed \S+ (\S+)$/gm)].map((match) => match[1]!));
  });

  needs('npm')('npm packs what a user needs, and nothing else', async () => {
    const command = [programPath('npm'), 'pack', '--dry-run', '--json', '--loglevel=silent'];
    const { output } = await runProgram(command, { cwd: ROOT });
    const [pack] = JSON.parse(output) as [{ files: { path: string }[] }];
    expectOnlyWhatUsersNeed(pack.files.map(({ path }) => path));
  });
});
