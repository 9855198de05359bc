import { expect, test } from 'bun:test';
import { OptionError } from '../../src/config/option-error.ts';
import { readSettings } from '../../src/runner/read-settings.ts';

test('the format of the access log is checked along with the table', () => {
  expect(readSettings({ accessLogFormat: '%h %s' }).accessLogFormat).toBe('%h %s');
  const refused = () => readSettings({ accessLogFormat: '%Z' });
  expect(refused).toThrow(OptionError);
  expect(refused).toThrow('option accessLogFormat: unknown access log atom "%Z"');
});

test('its error has the name that the source of the option gives it', () => {
  const label = (name: string) => `${name} in tsagi.config.ts`;
  expect(() => readSettings({ accessLogFormat: '%Z' }, { label })).toThrow(
    'accessLogFormat in tsagi.config.ts: unknown access log atom "%Z"',
  );
});
