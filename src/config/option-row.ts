/**
 * What a row of an option table holds. The server's table and the command's are made of the same rows, so that one parser
 * and one printer of help serve both.
 */
import type { Kind } from './option-kinds.ts';

export const GROUPS = [
  'Application',
  'Listening',
  'Processes',
  'TLS',
  'Limits',
  'Timeouts',
  'HTTP/2',
  'Starting and stopping',
  'Logging',
  'Responses',
  'Help',
] as const;

export interface OptionRow {
  readonly kind: Kind;
  readonly group: (typeof GROUPS)[number];
  readonly help: string;
  readonly default: unknown;
  /** The default in production mode, where it differs. */
  readonly productionDefault?: unknown;
  /** In words, where the default depends on the surroundings. */
  readonly defaultText?: string;
  /** The long flag without its dashes, where it is not the name in kebab case. */
  readonly flag?: string;
  readonly short?: string;
  /** What stands for the value in help, where the kind's own word is too vague. */
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  readonly excludes?: readonly string[];
  /** The least and the most that a number may be. */
  readonly range?: readonly [least: number, most: number];
  /** Each use of the flag adds to the list. */
  readonly isRepeatable?: boolean;
  /** Not given on the command line: in code, in the config file, and in the environment. */
  readonly isCodeOnly?: boolean;
  /** Sources that the option cannot come from, besides the command line. */
  readonly notIn?: readonly ('environment' | 'file')[];
  /** Says something only where there are several workers. */
  readonly isForWorkers?: boolean;
}

/** The long flag without its dashes: the name in kebab case, unless the row says otherwise. */
export function flagName(name: string, row: OptionRow): string {
  return row.flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
