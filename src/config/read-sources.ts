/**
 * From several sources to one set of options: the command line over the environment over the config file. What excludes
 * each other excludes within one source; between two, the option of the higher one replaces those that it excludes. Every
 * value keeps the name that its source has for it, so that an error names the place to change.
 */
import type { CommandValues, ProcessOptions } from './command-options.ts';
import { ALL_OPTIONS, findOption } from './command-options.ts';
import { OptionError } from './option-error.ts';
import { octalMode } from './option-kinds.ts';
import { OPTIONS } from './options.ts';
import type { ServerOptions } from './settings.ts';

/** Values by option name, each of which has passed its kind. */
export type GivenValues = Readonly<Record<string, unknown>>;

export interface OptionSource {
  readonly type: 'commandLine' | 'environment' | 'file';
  readonly values: GivenValues;
  /** How errors call an option of this source. */
  label(name: string): string;
}

export interface MergedOptions {
  readonly values: GivenValues;
  /** How errors call an option: as the source of its value does, and as the first source does where it has none. */
  label(name: string): string;
}

/** What is asked for, sorted: the server's options, what to serve, and what becomes of the process. */
export interface RequestedOptions {
  readonly options: ServerOptions;
  readonly app: string | undefined;
  readonly code: string | undefined;
  readonly server: string | undefined;
  readonly modules: readonly string[];
  readonly appDirs: readonly string[];
  readonly process: ProcessOptions;
}

/** The first source has the highest precedence. Throws an `OptionError` where a source contradicts itself. */
export function mergeSources(sources: readonly [OptionSource, ...OptionSource[]]): MergedOptions {
  const values: Record<string, unknown> = {};
  const origins = new Map<string, OptionSource>();
  for (const source of sources) {
    const replaced = new Set([...origins.keys()].flatMap(excludedBy));
    for (const [name] of ALL_OPTIONS) {
      if (source.values[name] === undefined) continue;
      checkExcludes(name, source);
      if (origins.has(name) || replaced.has(name)) continue;
      values[name] = source.values[name];
      origins.set(name, source);
    }
  }
  // The environment may be there for several programs, also for those that serve without TLS.
  const isIdlePassphrase =
    values['keyFile'] === undefined && origins.get('passphrase')?.type === 'environment';
  if (isIdlePassphrase) delete values['passphrase'];
  return { values, label: (name) => (origins.get(name) ?? sources[0]).label(name) };
}

export function sortValues(values: GivenValues): RequestedOptions {
  const given = values as CommandValues;
  const options = Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(OPTIONS, name)));
  return {
    // Each value has passed its kind, and names that are not in the table are filtered out.
    options: options as ServerOptions,
    app: given.app,
    code: given.code,
    server: given.server,
    modules: given.modules ?? [],
    appDirs: given.appDirs ?? [],
    process: {
      daemonize: given.daemonize ?? false,
      pidFile: given.pid,
      user: given.user,
      group: given.group,
      umask: octalMode(given.umask),
    },
  };
}

/** Names of the options that this source may give. */
export function namesIn(source: 'environment' | 'file'): string[] {
  return ALL_OPTIONS.filter(([, row]) => row.notIn?.includes(source) !== true).map(([name]) => name);
}

function checkExcludes(name: string, { values, label }: OptionSource): void {
  const other = excludedBy(name).find((excluded) => values[excluded] !== undefined);
  if (other === undefined) return;
  throw new OptionError(`${label(name)} and ${label(other)} exclude each other: give one of them`, {
    option: name,
    value: values[name],
    expectation: `not given with ${other}`,
  });
}

function excludedBy(name: string): readonly string[] {
  return findOption(name)?.excludes ?? [];
}
