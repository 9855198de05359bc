/**
 * Makes a module of the text after `-e`. The text gets the path of a file that does not exist, in the current directory,
 * so that its relative imports and the places in its errors read as if it had been written there.
 */
import { join } from 'node:path';
import { AppLoadError } from './app-load-error.ts';

const INLINE_PATH = /\[-e(?: \d+)?\]\.ts$/;

const texts = new Map<string, string>();

/** Registers the text and returns the path to import. */
export function addInlineModule(code: string, cwd: string): string {
  if (texts.size === 0) installPlugin();
  const number = texts.size === 0 ? '' : ` ${texts.size + 1}`;
  const path = join(cwd, `[-e${number}].ts`);
  texts.set(path, moduleText(code));
  return path;
}

/** The text behind a path that `addInlineModule` gave out. */
export function inlineText(path: string): string | undefined {
  return texts.get(path);
}

function installPlugin(): void {
  Bun.plugin({
    name: 'tsagi-inline-app',
    setup(build) {
      // Without an answer here the path is looked up on disk, where it is not.
      build.onResolve({ filter: INLINE_PATH }, ({ path }) => (texts.has(path) ? { path } : undefined));
      build.onLoad({ filter: INLINE_PATH }, ({ path }) => ({
        contents: texts.get(path) ?? '',
        loader: 'ts',
      }));
    },
  });
}

function moduleText(code: string): string {
  let scanned: Bun.Import[] = [];
  try {
    const { exports, imports } = new Bun.Transpiler({ loader: 'ts' }).scan(code);
    if (exports.length > 0) return code;
    scanned = imports;
  } catch {
    // Not a statement, but perhaps an expression: `async function (scope) {}` needs something before it.
  }
  if (scanned.some(({ kind }) => kind === 'import-statement')) {
    throw new AppLoadError('the code after -e imports but exports nothing: it needs an `export default`');
  }
  // On one line with its beginning, so that lines are counted from 1; a comment may end the code.
  return `export default (${code.replace(/;\s*$/, '')}\n)`;
}
