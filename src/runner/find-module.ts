/**
 * Finds the file that a name on the command line stands for. Paths come before packages, the directories of `-I` before
 * the current one, and a name with an extension before one without. What was looked for is kept for the error.
 */
import { statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';

/** Files that make a directory an app, in the order in which they are tried. */
export const ENTRY_FILES = ['app.ts', 'app.js', 'src/app.ts', 'index.ts'] as const;

const EXTENSIONS = ['.ts', '.js'] as const;

const HAS_EXTENSION = /\.[cm]?[jt]sx?$/;

export interface FoundModule {
  readonly file: string;
  /** How messages call it. */
  readonly shownAs: string;
}

export interface MissingModule {
  readonly file: undefined;
  readonly lookedFor: readonly string[];
}

export interface SearchPlace {
  readonly cwd: string;
  readonly appDirs: readonly string[];
}

export function findModule(name: string, { cwd, appDirs }: SearchPlace): FoundModule | MissingModule {
  const lookedFor: string[] = [];
  const directories = isAbsolute(name) ? [cwd] : [...appDirs.map((dir) => resolve(cwd, dir)), cwd];
  for (const directory of directories) {
    for (const candidate of candidatesFor(resolve(directory, name))) {
      const shownAs = showPath(candidate, cwd);
      if (kindOf(candidate) === 'file') return { file: candidate, shownAs };
      lookedFor.push(shownAs);
    }
  }
  if (!/^[./]/.test(name)) {
    for (const directory of directories) {
      const file = resolvePackage(name, directory);
      if (file !== undefined) return { file, shownAs: name };
    }
    lookedFor.push(`a package named ${name}`);
  }
  return { file: undefined, lookedFor };
}

/** A path as seen from `cwd` where it lies below it, absolute otherwise. */
export function showPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === '' ? '.' : shown.startsWith('..') ? path : shown;
}

function candidatesFor(path: string): string[] {
  if (kindOf(path) === 'directory') return ENTRY_FILES.map((entry) => join(path, entry));
  if (HAS_EXTENSION.test(path)) return [path];
  return [path, ...EXTENSIONS.map((extension) => `${path}${extension}`)];
}

function kindOf(path: string): 'file' | 'directory' | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? 'directory' : stats ? 'file' : undefined;
}

function resolvePackage(name: string, directory: string): string | undefined {
  try {
    // Only looks on disk: importing an unknown name at once would let Bun try to install it.
    return Bun.resolveSync(name, directory);
  } catch {
    return undefined;
  }
}
