/**
 * The environment as a source of options: `TSAGI_` and the option's name in upper snake case, so that `maxBodySize` is
 * TSAGI_MAX_BODY_SIZE. An empty variable is not set. Other variables with that prefix may be the app's own, so they are
 * no error, but as they may be mistyped too, they are told of.
 */
import { findOption } from './command-options.ts';
import { flagLabel } from './describe-option.ts';
import { nearestName } from './nearest-name.ts';
import { OptionError, showValue } from './option-error.ts';
import { KINDS } from './option-kinds.ts';
import { flagName } from './option-row.ts';
import { namesIn, type OptionSource } from './read-sources.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentOptions {
  readonly source: OptionSource;
  /** Names of variables with our prefix that stand for no option. */
  readonly unknown: readonly string[];
}

const PREFIX = 'TSAGI_';

/** What the processes of this server tell each other when one starts another. */
const INTERNAL_VARIABLES = new Set(['TSAGI_DAEMON', 'TSAGI_PREDECESSOR', 'TSAGI_WORKER']);

/** The variable that stands for the option. */
export function variableName(name: string): string {
  return PREFIX + snakeCase(name);
}

const OPTION_OF_VARIABLE: ReadonlyMap<string, string> = new Map(
  namesIn('environment').map((name) => [variableName(name), name]),
);

/** Variables as one might write them from the flag, where flag and name differ: TSAGI_SSL_CERT, which is TSAGI_CERT_FILE. */
const OPTION_OF_FLAG: ReadonlyMap<string, string> = new Map(
  namesIn('environment').map((name) => [PREFIX + snakeCase(flagName(name, findOption(name)!)), name]),
);

/** Throws an `OptionError` for the first variable that cannot be used as given. */
export function readEnvironment(env: Environment): EnvironmentOptions {
  const values: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [variable, text = ''] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === '') continue;
    const name = OPTION_OF_VARIABLE.get(variable);
    if (name !== undefined) values[name] = readVariable(name, text);
    else if (OPTION_OF_FLAG.has(variable)) throw wrongName(variable, OPTION_OF_FLAG.get(variable)!);
    else if (!INTERNAL_VARIABLES.has(variable)) unknown.push(variable);
  }
  return { source: { type: 'environment', values, label }, unknown };
}

/** One line about a variable that stands for no option. */
export function describeUnknownVariable(variable: string): string {
  const nearest = nearestName(variable, OPTION_OF_VARIABLE.keys());
  return `the environment variable ${variable} is no option of this server; the nearest one is ${nearest}`;
}

function label(name: string): string {
  return `the environment variable ${variableName(name)}`;
}

function readVariable(name: string, text: string): unknown {
  const row = findOption(name)!;
  const kind = KINDS[row.kind];
  const value = (kind.fromVariable ?? kind.fromText)(text);
  if (value !== undefined && kind.accepts(value, row)) return value;
  const expectation = (kind.variableExpectation ?? kind.textExpectation ?? kind.expectation)(row);
  throw new OptionError(`${label(name)} must be ${expectation}, not ${showValue(text)}`, {
    option: name,
    value: text,
    expectation,
  });
}

/** Taken for another program's, it would leave a server without TLS where TLS was asked for. */
function wrongName(variable: string, name: string): OptionError {
  const expectation = `named ${variableName(name)}`;
  const message = `the environment variable ${variable} must be ${expectation}: it stands for ${flagLabel(name, findOption(name)!)}`;
  return new OptionError(message, { option: name, value: variable, expectation });
}

function snakeCase(name: string): string {
  return name
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('-', '_')
    .toUpperCase();
}
