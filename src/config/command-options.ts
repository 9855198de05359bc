/**
 * What the command takes beside the server's options: where the app comes from, what becomes of the process, and questions
 * about the command itself. The rows have the form of the server's table, so that the same parser, the same sources and the
 * same help serve both.
 */
import type { KindValues } from './option-kinds.ts';
import type { OptionRow } from './option-row.ts';
import { OPTIONS } from './options.ts';

export const COMMAND_OPTIONS = {
  app: {
    kind: 'string',
    group: 'Application',
    short: 'a',
    placeholder: 'APP',
    excludes: ['code'],
    default: undefined,
    help: 'The app, as an option instead of the first argument.',
  },
  code: {
    kind: 'string',
    group: 'Application',
    flag: '',
    short: 'e',
    placeholder: 'CODE',
    excludes: ['app'],
    notIn: ['environment', 'file'],
    default: undefined,
    help: 'An expression that yields the app, or the text of a module that exports it.',
  },
  modules: {
    kind: 'strings',
    group: 'Application',
    flag: '',
    short: 'M',
    placeholder: 'MODULE',
    isRepeatable: true,
    default: [],
    help: 'A module to import before the app.',
  },
  appDirs: {
    kind: 'strings',
    group: 'Application',
    flag: 'app-dir',
    short: 'I',
    placeholder: 'DIR',
    isRepeatable: true,
    default: [],
    help: 'Where apps and modules are looked up before the current directory.',
  },
  server: {
    kind: 'string',
    group: 'Application',
    short: 's',
    placeholder: 'MODULE',
    default: undefined,
    defaultText: 'built in',
    help: 'A module whose class is the server: new(options) and run().',
  },
  config: {
    kind: 'string',
    group: 'Application',
    placeholder: 'FILE',
    notIn: ['file'],
    default: undefined,
    defaultText: 'tsagi.config.ts, where there is one',
    help: 'The config file: a module whose default export holds options.',
  },
  daemonize: {
    kind: 'flag',
    group: 'Processes',
    short: 'D',
    default: false,
    help: 'Go to the background; returns once it serves, or with 1 and the error.',
  },
  pid: {
    kind: 'string',
    group: 'Processes',
    placeholder: 'FILE',
    default: undefined,
    help: 'File for the process id; refused while a living process holds it, removed at the end.',
  },
  user: {
    kind: 'string',
    group: 'Processes',
    placeholder: 'USER',
    default: undefined,
    help: 'User, by name or number, to become once the listeners are bound.',
  },
  group: {
    kind: 'string',
    group: 'Processes',
    placeholder: 'GROUP',
    default: undefined,
    defaultText: 'that of the user',
    help: 'Group, by name or number, to change to along with the user.',
  },
  umask: {
    kind: 'socketMode',
    group: 'Processes',
    default: undefined,
    defaultText: 'inherited',
    help: 'Permissions that new files do not get, in octal.',
  },
  check: {
    kind: 'flag',
    group: 'Help',
    notIn: ['environment', 'file'],
    default: false,
    help: 'Load the config and the app, print whether they can be used, and exit.',
  },
  version: {
    kind: 'flag',
    group: 'Help',
    notIn: ['environment', 'file'],
    short: 'v',
    default: false,
    help: 'Print the version and exit.',
  },
  help: {
    kind: 'flag',
    group: 'Help',
    notIn: ['environment', 'file'],
    short: 'h',
    default: false,
    help: 'Print this help and exit.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;

/** What becomes of the process that the command runs in. */
export interface ProcessOptions {
  readonly daemonize: boolean;
  readonly pidFile: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly umask: number | undefined;
}

type CommandTable = typeof COMMAND_OPTIONS;

/** The values that were given, by name; each has passed its kind. */
export type CommandValues = {
  readonly [Name in keyof CommandTable]?: KindValues[CommandTable[Name]['kind']] | undefined;
};

/** Every option there is, the command's before the server's. */
export const ALL_OPTIONS: readonly (readonly [name: string, row: OptionRow])[] = [
  ...Object.entries(COMMAND_OPTIONS),
  ...Object.entries(OPTIONS),
];

const ROWS: ReadonlyMap<string, OptionRow> = new Map(ALL_OPTIONS);

export function findOption(name: string): OptionRow | undefined {
  return ROWS.get(name);
}
