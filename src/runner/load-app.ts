/**
 * From the words of the command line to an app. One rule tells an app from a factory: the export is called as a factory
 * when `key=value` arguments are given, or when it is named `createApp`; otherwise it is the app. Whatever is not an app
 * is refused here with what was found instead, so that no request has to find out.
 */
import type { App, AppArguments } from '../contract/app.ts';
import { AppLoadError } from './app-load-error.ts';
import { describeFailure } from './describe-failure.ts';
import { findModule, type SearchPlace } from './find-module.ts';
import { addInlineModule } from './inline-module.ts';

export interface AppSource {
  /** A path, a package or a directory, with `:NAME` for an export; the current directory if absent. */
  readonly app?: string | undefined;
  /** The text of an expression or a module, instead of `app`. */
  readonly code?: string | undefined;
  /** Imported before the app, in this order. */
  readonly modules?: readonly string[];
  readonly appDirs?: readonly string[];
  readonly appArguments?: AppArguments;
  readonly cwd?: string;
}

interface LocatedModule {
  readonly file: string;
  readonly shownAs: string;
  readonly exportName: string | undefined;
}

interface FoundExport {
  readonly name: string;
  readonly value: unknown;
}

type Exports = Readonly<Record<string, unknown>>;

/** Throws an `AppLoadError`. */
export async function loadApp(source: AppSource): Promise<App> {
  const place: SearchPlace = { cwd: source.cwd ?? process.cwd(), appDirs: source.appDirs ?? [] };
  for (const name of source.modules ?? []) {
    await importModule(locate(name, place, 'the module'), place.cwd);
  }
  const located =
    source.code === undefined
      ? locateApp(source.app ?? '.', place)
      : {
          file: addInlineModule(source.code, place.cwd),
          shownAs: 'the code after -e',
          exportName: undefined,
        };
  const exports = await importModule(located, place.cwd);
  return await makeApp(located, pickExport(exports, located), source.appArguments ?? {}, place.cwd);
}

/** The first of `names` that the module exports, for parts other than apps. */
export async function loadExport(
  name: string,
  names: readonly string[],
  source: AppSource,
): Promise<unknown> {
  const place: SearchPlace = { cwd: source.cwd ?? process.cwd(), appDirs: source.appDirs ?? [] };
  const exports = await importModule(locate(name, place, 'the module'), place.cwd);
  const found = names.find((candidate) => candidate in exports);
  return found === undefined ? undefined : exports[found];
}

function locateApp(name: string, place: SearchPlace): LocatedModule {
  const whole = findModule(name, place);
  if (whole.file !== undefined) return { ...whole, exportName: undefined };
  const [, path, exportName] = /^(.+):([A-Za-z_$][\w$]*)$/.exec(name) ?? [];
  if (path === undefined || exportName === undefined) throw notFound(`the app ${name}`, whole.lookedFor);
  return { ...locate(path, place, 'the app'), exportName };
}

function locate(name: string, place: SearchPlace, what: string): LocatedModule {
  const found = findModule(name, place);
  if (found.file === undefined) throw notFound(`${what} ${name}`, found.lookedFor);
  return { ...found, exportName: undefined };
}

function notFound(what: string, lookedFor: readonly string[]): AppLoadError {
  return new AppLoadError(`cannot find ${what}; looked for ${lookedFor.join(', ')}`);
}

async function importModule({ file, shownAs }: LocatedModule, cwd: string): Promise<Exports> {
  try {
    return (await import(file)) as Exports;
  } catch (error) {
    throw describeFailure(shownAs, error, cwd);
  }
}

function pickExport(exports: Exports, { shownAs, exportName }: LocatedModule): FoundExport {
  if (exportName !== undefined) {
    if (exportName in exports) return { name: exportName, value: exports[exportName] };
    throw new AppLoadError(`${shownAs} has no export named ${exportName}; it exports ${showNames(exports)}`);
  }
  for (const name of ['default', 'app', 'createApp']) {
    if (typeof exports[name] === 'function') return { name, value: exports[name] };
  }
  const byDefault = 'default' in exports ? `its default export is ${showKind(exports['default'])}` : '';
  const otherwise = 'app' in exports ? `its export app is ${showKind(exports['app'])}` : '';
  const found = [byDefault, otherwise].filter((text) => text !== '').join(', ');
  throw new AppLoadError(
    `${shownAs} has no app: it exports ${showNames(exports)}; ` +
      (found === '' ? 'none is the default export or named app or createApp' : found),
  );
}

async function makeApp(
  { shownAs }: LocatedModule,
  { name, value }: FoundExport,
  args: AppArguments,
  cwd: string,
): Promise<App> {
  const what = `${name === 'default' ? 'the default export' : `the export ${name}`} of ${shownAs}`;
  if (typeof value !== 'function' || isClass(value)) {
    throw new AppLoadError(`${what} is ${showKind(value)}, not an app function`);
  }
  const hasArguments = Object.keys(args).length > 0;
  if (!hasArguments && name !== 'createApp' && value.name !== 'createApp') return value as App;
  // An app takes (scope, receive, send): calling it with the arguments would fail far from the reason.
  if (value.length > 1) {
    const given = hasArguments ? 'and KEY=VALUE arguments are for a factory' : 'and a factory takes one';
    throw new AppLoadError(`${what} takes ${value.length} parameters, ${given}`);
  }
  const made = await callFactory(value as (args: AppArguments) => unknown, { args, shownAs, cwd });
  if (typeof made !== 'function' || isClass(made)) {
    throw new AppLoadError(
      `${what} was called as a factory and returned ${showKind(made)}, not an app function`,
    );
  }
  return made as App;
}

async function callFactory(
  factory: (args: AppArguments) => unknown,
  { args, shownAs, cwd }: { args: AppArguments; shownAs: string; cwd: string },
): Promise<unknown> {
  try {
    return await factory(args);
  } catch (error) {
    throw describeFailure(shownAs, error, cwd);
  }
}

function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function showNames(exports: Exports): string {
  const names = Object.keys(exports);
  return names.length === 0 ? 'nothing' : `{${names.join(', ')}}`;
}

function showKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return isClass(value) ? 'a class' : 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const hasFetch = typeof (value as { fetch?: unknown }).fetch === 'function';
  return hasFetch ? 'an object with fetch(), which is not supported yet' : 'an object';
}
