/**
 * Options that are given and say nothing beside the others: those for workers where one process serves. A config file may
 * be shared by starts with and without workers, so this is no error; but nobody should believe in what is not done.
 */
import type { OptionRow } from './option-row.ts';
import { OPTIONS, type OptionName } from './options.ts';
import type { ServerOptions, Settings } from './settings.ts';

/** One line for each. */
export function describeIdleOptions(
  options: ServerOptions,
  { workers }: Settings,
  label: (name: OptionName) => string = (name) => `option ${name}`,
): string[] {
  if (workers > 1) return [];
  const idle = (Object.keys(OPTIONS) as OptionName[]).filter((name) => isIdle(name, options));
  return idle.map(
    (name) => `${label(name)} does nothing where one process serves: it is for 2 or more workers`,
  );
}

/** 0 turns such an option off, and off it is. */
function isIdle(name: OptionName, options: ServerOptions): boolean {
  const { isForWorkers }: OptionRow = OPTIONS[name];
  return isForWorkers === true && options[name] !== undefined && options[name] !== 0;
}
