/**
 * Loads the config file: a module whose default export is an object of options, or a function that returns one or a promise
 * of one. The file that nobody named may be absent; one that was named may not. What goes wrong in it is shown as for an app.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { OptionError, showValue } from '../config/option-error.ts';
import { AppLoadError } from './app-load-error.ts';
import { describeFailure } from './describe-failure.ts';
import { showPath } from './find-module.ts';

export const CONFIG_FILE = 'tsagi.config.ts';

export interface ConfigRequest {
  /** As given; undefined for the file that may be there. */
  readonly path: string | undefined;
  /** How errors call the option that gave the path. */
  readonly label: string;
  readonly cwd?: string;
}

export interface LoadedConfig {
  /** How messages call the file. */
  readonly shownAs: string;
  /** As exported, not checked. */
  readonly values: object;
}

/** Throws an `OptionError` for a file that is not there, and an `AppLoadError` for one that fails. */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig | undefined> {
  const { path, label, cwd = process.cwd() } = request;
  const file = resolve(cwd, path ?? CONFIG_FILE);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    if (path === undefined) return undefined;
    const expectation = 'the name of a file that is there';
    const message = `${label} must be ${expectation}, not ${showValue(path)}`;
    throw new OptionError(message, { option: 'config', value: path, expectation });
  }
  const shownAs = showPath(file, cwd);
  return { shownAs, values: await valuesOf(file, shownAs, cwd) };
}

async function valuesOf(file: string, shownAs: string, cwd: string): Promise<object> {
  let found: unknown;
  try {
    const exports = (await import(file)) as Readonly<Record<string, unknown>>;
    if (!('default' in exports)) throw new AppLoadError(`${shownAs} has no default export: ${WANTED}`);
    found = exports['default'];
    if (typeof found === 'function') found = await (found as () => unknown)();
  } catch (error) {
    throw error instanceof AppLoadError ? error : describeFailure(shownAs, error, cwd);
  }
  if (isPlainObject(found)) return found;
  throw new AppLoadError(`the default export of ${shownAs} gives ${showValue(found)}: ${WANTED}`);
}

const WANTED = 'it must be an object of options such as { port: 8080 }, or a function that returns one';

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
