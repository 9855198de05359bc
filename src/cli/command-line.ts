/**
 * Reads the command line, strictly: whatever is not understood in full is an error that names it. citty, which runs the
 * command, lets unknown options pass and turns a missing value into an empty one, so it gets what was read here.
 */
import { flagLabel, isNegatable, longFlags } from '../config/describe-option.ts';
import { ALL_OPTIONS, findOption } from '../config/command-options.ts';
import { nearestName } from '../config/nearest-name.ts';
import { showValue } from '../config/option-error.ts';
import { KINDS } from '../config/option-kinds.ts';
import type { OptionRow } from '../config/option-row.ts';
import { sortValues, type OptionSource, type RequestedOptions } from '../config/read-sources.ts';

/** Values are checked one by one, not yet against each other. */
export interface CommandLine extends RequestedOptions {
  /** The same, to be merged with other sources. */
  readonly source: OptionSource;
  /** The config file that is named, if one is. */
  readonly config: string | undefined;
  /** The `key=value` arguments. */
  readonly appArguments: Readonly<Record<string, string>>;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
  readonly wantsCheck: boolean;
}

/** The command line cannot be understood. The message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Flag {
  readonly name: string;
  readonly row: OptionRow;
  readonly isNegation: boolean;
}

const LONG_FLAGS = new Map<string, Flag>(
  ALL_OPTIONS.flatMap(([name, row]) =>
    longFlags(name, row).map((flag, index): [string, Flag] => [flag, { name, row, isNegation: index === 1 }]),
  ),
);

const SHORT_FLAGS = new Map<string, Flag>(
  ALL_OPTIONS.flatMap(([name, row]): [string, Flag][] =>
    row.short ? [[`-${row.short}`, { name, row, isNegation: false }]] : [],
  ),
);

const KEY_VALUE = /^([A-Za-z_][\w.-]*)=(.*)$/s;

export function parseCommandLine(rawArgs: readonly string[]): CommandLine {
  const reader = new ArgumentReader(rawArgs);
  reader.readAll();
  const { app, appArguments } = readPositionals(reader.positionals, reader.values);
  const { help, version, check, ...given } = reader.values;
  const values = app === undefined ? given : { ...given, app };
  return {
    ...sortValues(values),
    source: { type: 'commandLine', values, label: optionLabel },
    config: values['config'] as string | undefined,
    appArguments,
    wantsHelp: help === true,
    wantsVersion: version === true,
    wantsCheck: check === true,
  };
}

/** How an error calls an option that was given on the command line. */
export function optionLabel(name: string): string {
  const row = findOption(name);
  return row === undefined ? name : flagLabel(name, row);
}

class ArgumentReader {
  readonly values: Record<string, unknown> = {};
  readonly positionals: string[] = [];
  readonly #rest: string[];

  constructor(rawArgs: readonly string[]) {
    this.#rest = [...rawArgs];
  }

  readAll(): void {
    for (let arg = this.#rest.shift(); arg !== undefined; arg = this.#rest.shift()) {
      if (arg === '--') this.positionals.push(...this.#rest.splice(0));
      else if (arg.startsWith('--')) this.#readLong(arg);
      else if (arg.startsWith('-') && arg !== '-') this.#readShort(arg);
      else this.positionals.push(arg);
    }
  }

  #readLong(arg: string): void {
    const equals = arg.indexOf('=');
    const name = equals === -1 ? arg : arg.slice(0, equals);
    const flag = LONG_FLAGS.get(name);
    if (!flag) throw unknownOption(name);
    const attached = equals === -1 ? undefined : arg.slice(equals + 1);
    if (takesValue(flag)) return this.#set(flag, attached ?? this.#valueOf(name), name);
    if (attached !== undefined) throw new UsageError(`${name} takes no value`);
    this.#turn(flag);
  }

  /** `-p 8080`, `-p8080`, `-p=8080`; flags without a value may stand together, as in `-qp 8080`. */
  #readShort(arg: string): void {
    for (let index = 1; index < arg.length; index++) {
      const name = `-${arg[index]}`;
      const flag = SHORT_FLAGS.get(name);
      if (!flag) throw unknownOption(name);
      if (takesValue(flag)) {
        const attached = arg.slice(index + 1).replace(/^=/, '');
        return this.#set(flag, attached || this.#valueOf(name), name);
      }
      this.#turn(flag);
    }
  }

  #valueOf(name: string): string {
    const next = this.#rest[0];
    // What is or looks like an option is not a value: `--access-log --quiet` forgot its file.
    const isOption = next !== undefined && (next.startsWith('--') || SHORT_FLAGS.has(next.slice(0, 2)));
    if (next === undefined || isOption) throw new UsageError(`${name} needs a value`);
    this.#rest.shift();
    return next;
  }

  #turn({ name, row, isNegation }: Flag): void {
    this.values[name] = isNegation ? false : KINDS[row.kind].fromText('');
  }

  #set({ name, row }: Flag, text: string, givenAs: string): void {
    const kind = KINDS[row.kind];
    const value = kind.fromText(text);
    if (value === undefined || !kind.accepts(value, row)) {
      if (text === '') throw new UsageError(`${givenAs} needs a value`);
      const expectation = (kind.textExpectation ?? kind.expectation)(row);
      throw new UsageError(`${flagLabel(name, row)} must be ${expectation}, not ${showValue(text)}`);
    }
    const before = this.values[name];
    const isAdded = row.isRepeatable === true && Array.isArray(before) && Array.isArray(value);
    this.values[name] = isAdded ? [...before, ...value] : value;
  }
}

function takesValue({ row, isNegation }: Flag): boolean {
  return row.kind !== 'flag' && !(isNegation && isNegatable(row));
}

function unknownOption(name: string): UsageError {
  const isLong = name.startsWith('--');
  const known = isLong ? LONG_FLAGS.keys() : SHORT_FLAGS.keys();
  // One letter is as near to any other; only the same letter in the other case says something.
  const nearest = isLong
    ? nearestName(name, known)
    : [...known].find((flag) => flag.toLowerCase() === name.toLowerCase());
  const hint = nearest ? `the nearest known one is ${nearest}` : '--help lists the known ones';
  return new UsageError(`unknown option ${printable(name)}; ${hint}`);
}

function readPositionals(
  positionals: readonly string[],
  values: Readonly<Record<string, unknown>>,
): { app: string | undefined; appArguments: Record<string, string> } {
  let app = values['app'] as string | undefined;
  if (app !== undefined && values['code'] !== undefined)
    throw new UsageError('--app and -e exclude each other');
  const pairs: [string, string][] = [];
  for (const [index, positional] of positionals.entries()) {
    const [, key, value] = KEY_VALUE.exec(positional) ?? [];
    if (key !== undefined && value !== undefined) {
      pairs.push([key, value]);
    } else if (index === 0 && app === undefined && values['code'] === undefined) {
      app = positional;
    } else {
      throw new UsageError(
        `unexpected argument ${showValue(positional)}: what follows the app must be KEY=VALUE`,
      );
    }
  }
  // A key of any name becomes a property of its own, `__proto__` too.
  return { app, appArguments: Object.fromEntries(pairs) };
}

function printable(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : showValue(text);
}
