/**
 * What a config file's default export may hold: the options by name, with the values that code gives them, and where the
 * app is and what becomes of the process. Checked here in full, also where a source of higher precedence overrides it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { COMMAND_OPTIONS } from './command-options.ts';
import { findOption } from './command-options.ts';
import { nearestName } from './nearest-name.ts';
import { OptionError, showValue } from './option-error.ts';
import { KINDS, type KindValues } from './option-kinds.ts';
import { namesIn, type OptionSource } from './read-sources.ts';
import type { ServerOptions } from './settings.ts';

type CommandTable = typeof COMMAND_OPTIONS;

type FileCommandOption = {
  [Name in keyof CommandTable]: CommandTable[Name] extends { readonly notIn: readonly (infer Source)[] }
    ? 'file' extends Source
      ? never
      : Name
    : Name;
}[keyof CommandTable];

/** What the default export of tsagi.config.ts is, or what the function returns that is its default export. */
export type TsagiConfig = ServerOptions & {
  -readonly [Name in FileCommandOption]?: KindValues[CommandTable[Name]['kind']] | undefined;
};

/** `shownAs` is the file's name in errors. Throws an `OptionError`. */
export function readConfigFile(shownAs: string, values: object): OptionSource {
  const label = (name: string) => `${name} in ${shownAs}`;
  for (const [name, value] of Object.entries(values)) {
    checkName(name, value, shownAs);
    if (value === undefined) continue;
    const row = findOption(name)!;
    const kind = KINDS[row.kind];
    const isAccepted = kind.accepts(value, row);
    if (isAccepted && isPlainData(value)) continue;
    const expectation = isAccepted ? 'plain data, which workers can be sent' : kind.expectation(row);
    const message = `${label(name)} must be ${expectation}, not ${showValue(value)}`;
    throw new OptionError(message, { option: name, value, expectation });
  }
  return { type: 'file', values: { ...values }, label };
}

function checkName(name: string, value: unknown, shownAs: string): void {
  const known = namesIn('file');
  if (known.includes(name)) return;
  const details = { option: name, value, expectation: 'a known option' };
  if (findOption(name)) {
    throw new OptionError(
      `${name} in ${shownAs} is not for a config file: give it on the command line`,
      details,
    );
  }
  const nearest = nearestName(name, known);
  const message = `unknown option ${name} in ${shownAs}; the nearest known one is ${nearest}`;
  throw new OptionError(message, details);
}

/** Whether it is the same after a journey to a worker, as JSON. */
function isPlainData(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
  } catch {
    return false;
  }
}
