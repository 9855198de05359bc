/**
 * What the command takes beside the server's options: where the app comes from, and questions about the command itself.
 * The rows have the form of the server's table, so that the same parser and the same help serve both.
 */
import type { OptionRow } from '../config/option-row.ts';

export const COMMAND_OPTIONS = {
  app: {
    kind: 'string',
    group: 'Application',
    short: 'a',
    placeholder: 'APP',
    default: undefined,
    help: 'The app, as an option instead of the first argument.',
  },
  code: {
    kind: 'string',
    group: 'Application',
    flag: '',
    short: 'e',
    placeholder: 'CODE',
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
  version: {
    kind: 'flag',
    group: 'Help',
    short: 'v',
    default: false,
    help: 'Print the version and exit.',
  },
  help: {
    kind: 'flag',
    group: 'Help',
    short: 'h',
    default: false,
    help: 'Print this help and exit.',
  },
} as const satisfies Readonly<Record<string, OptionRow>>;
