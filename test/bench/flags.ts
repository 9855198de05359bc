/**
 * The command line of the bench run. Whatever is not understood is refused with one line that names it: a run that
 * silently measured something else would be worse than none.
 */

export interface Flags {
  rows: readonly string[];
  peers: readonly string[];
  rounds: number;
  seconds: number;
  markdown: string | undefined;
}

export interface FlagChoices {
  rows: readonly string[];
  peers: readonly string[];
}

export class FlagError extends Error {}

export const USAGE = `npm run bench -- [--rows a,b] [--peers a,b] [--rounds 5] [--seconds 2] [--markdown FILE]`;

export function parseFlags(args: readonly string[], choices: FlagChoices): Flags {
  const flags: Flags = { ...choices, rounds: 5, seconds: 2, markdown: undefined };
  for (let index = 0; index < args.length; index += 1) {
    const [name = '', inlineValue] = splitOnce(args[index] ?? '');
    const value = inlineValue ?? args[(index += 1)];
    if (value === undefined) throw new FlagError(`${name} needs a value`);
    if (name === '--rows') flags.rows = parseNames(name, value, choices.rows);
    else if (name === '--peers') flags.peers = parseNames(name, value, choices.peers);
    else if (name === '--rounds') flags.rounds = parseCount(name, value);
    else if (name === '--seconds') flags.seconds = parseCount(name, value);
    else if (name === '--markdown') flags.markdown = value;
    else throw new FlagError(`unknown flag ${name}`);
  }
  return flags;
}

function splitOnce(argument: string): [name: string, value: string | undefined] {
  const at = argument.indexOf('=');
  return at === -1 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function parseNames(flag: string, value: string, known: readonly string[]): readonly string[] {
  const wanted = value.split(',');
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new FlagError(`${flag}: no ${unknown}; there are ${known.join(', ')}`);
  // The order of the table, not of the flag: rows and peers keep their places from run to run.
  return known.filter((name) => wanted.includes(name));
}

/** wrk takes whole seconds alone, and rounds are counted. */
function parseCount(flag: string, value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw new FlagError(`${flag}: ${value} is not a whole number from 1`);
  return Number(value);
}
