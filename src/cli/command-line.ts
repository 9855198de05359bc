/**
 * Reads the command line, strictly: whatever is not understood in full is an error that names it. citty, which runs the
 * command, lets unknown options pass and turns a missing value into an empty one, so it gets what was read here.
 */
import { flagLabel, isNegatable, longFlags } from '../config/describe-option.ts';
import { nearestName } from '../config/nearest-name.ts';
import { showValue } from '../config/option-error.ts';
import { KINDS } from '../config/option-kinds.ts';
import type { OptionRow } from '../config/option-row.ts';
import { OPTIONS } from '../config/options.ts';
import type { ServerOptions } from '../config/settings.ts';
import { COMMAND_OPTIONS } from './command-options.ts';

export interface CommandLine {
  /** Checked one by one, not yet against each other. */
  readonly options: ServerOptions;
  readonly app: string | undefined;
  readonly code: string | undefined;
  readonly server: string | undefined;
  readonly modules: readonly string[];
  readonly appDirs: readonly string[];
  /** The `key=value` arguments. */
  readonly appArguments: Readonly<Record<string, string>>;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
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

const ROWS: readonly (readonly [string, OptionRow])[] = [
  ...Object.entries(COMMAND_OPTIONS),
  ...Object.entries(OPTIONS),
];

const LONG_FLAGS = new Map<string, Flag>(
  ROWS.flatMap(([name, row]) =>
    longFlags(name, row).map((flag, index): [string, Flag] => [flag, { name, row, isNegation: index === 1 }]),
  ),
);

const SHORT_FLAGS = new Map<string, Flag>(
  ROWS.flatMap(([name, row]): [string, Flag][] =>
    row.short ? [[`-${row.short}`, { name, row, isNegation: false }]] : [],
  ),
);

const KEY_VALUE = /^([A-Za-z_][\w.-]*)=(.*)$/s;

export function parseCommandLine(rawArgs: readonly string[]): CommandLine {
  const reader = new ArgumentReader(rawArgs);
  reader.readAll();
  const { values, positionals } = reader;
  const given = values as { [Name in keyof typeof COMMAND_OPTIONS]?: unknown };
  const options = Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(OPTIONS, name)));
  const { app, appArguments } = readPositionals(positionals, values);
  return {
    // Each value has passed its kind, and names that are not in the table are filtered out.
    options: options as ServerOptions,
    app,
    appArguments,
    code: given.code as string | undefined,
    server: given.server as string | undefined,
    modules: (given.modules ?? []) as string[],
    appDirs: (given.appDirs ?? []) as string[],
    wantsHelp: given.help === true,
    wantsVersion: given.version === true,
  };
}

/** How an error calls an option that was given on the command line. */
export function optionLabel(name: keyof typeof OPTIONS): string {
  return flagLabel(name, OPTIONS[name]);
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
