/**
 * Settings checked in full: the table's own rules, and those that belong to a part the table does not know.
 */
import { OptionError } from '../config/option-error.ts';
import { parseOptions, type ParseOptions, type ServerOptions, type Settings } from '../config/settings.ts';
import { compileAccessLogFormat } from '../server/access-log-format.ts';

/** Throws an `OptionError`. */
export function readSettings(options: ServerOptions, parse: ParseOptions = {}): Settings {
  const settings = parseOptions(options, parse);
  try {
    compileAccessLogFormat(settings.accessLogFormat);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const label = parse.label?.('accessLogFormat') ?? 'option accessLogFormat';
    throw new OptionError(`${label}: ${error.message}`, {
      option: 'accessLogFormat',
      value: settings.accessLogFormat,
      expectation: 'a preset or a format string',
    });
  }
  return settings;
}
