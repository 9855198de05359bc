/**
 * From the command line and what stands behind it, environment and config file, to what is to be done. Nothing has been
 * started or bound when this is through, and the only code that has run is the config file's.
 */
import { readConfigFile } from '../config/config-file.ts';
import { describeUnknownVariable, readEnvironment, type Environment } from '../config/environment.ts';
import { describeIdleOptions } from '../config/idle-options.ts';
import {
  mergeSources,
  sortValues,
  type GivenValues,
  type OptionSource,
  type RequestedOptions,
} from '../config/read-sources.ts';
import { OptionError } from '../config/option-error.ts';
import type { Settings } from '../config/settings.ts';
import { loadConfig } from '../runner/load-config.ts';
import { readSettings } from '../runner/read-settings.ts';
import { optionLabel, type CommandLine } from './command-line.ts';

export interface Request extends RequestedOptions {
  readonly settings: Settings;
  /** How errors call an option: as the source of its value does. */
  readonly label: (name: string) => string;
  /** How messages call the config file, if there is one. */
  readonly configFile: string | undefined;
  /** One line each, about what was given and is not used. */
  readonly warnings: readonly string[];
}

export interface RequestPlace {
  readonly env?: Environment;
  readonly cwd?: string;
}

/** Throws an `OptionError` for what cannot be used, and an `AppLoadError` for a config file that fails. */
export async function readRequest(
  { source, config: flag }: CommandLine,
  { env = process.env, cwd = process.cwd() }: RequestPlace = {},
): Promise<Request> {
  const environment = readEnvironment(env);
  const config = await loadConfig({ ...configPath(flag, environment.source), cwd });
  const file = config ? [readConfigFile(config.shownAs, config.values)] : [];
  const { values, label } = mergeSources([source, environment.source, ...file]);
  const requested = sortValues(values);
  if (requested.server !== undefined) refuseForOthers(values, label);
  const settings = readSettings(requested.options, { label });
  const warnings = [
    ...environment.unknown.map(describeUnknownVariable),
    ...describeIdleOptions(requested.options, settings, label),
  ];
  return { ...requested, settings, label, warnings, configFile: config?.shownAs };
}

function configPath(
  flag: string | undefined,
  { values, label }: OptionSource,
): { path: string | undefined; label: string } {
  if (flag !== undefined) return { path: flag, label: optionLabel('config') };
  // It has passed its kind.
  return { path: values['config'] as string | undefined, label: label('config') };
}

const OF_THE_BUILT_IN_SERVER = ['daemonize', 'pid', 'user', 'group'] as const;

/** What becomes of the process is up to the server, and somebody else's does not know these options. */
function refuseForOthers(values: GivenValues, label: (name: string) => string): void {
  const name = OF_THE_BUILT_IN_SERVER.find((option) => values[option] !== undefined);
  if (name === undefined) return;
  const expectation = 'left out where another server runs the app';
  const message = `${label(name)} is for the built-in server: leave out ${label('server')}, or this`;
  throw new OptionError(message, { option: name, value: values[name], expectation });
}
