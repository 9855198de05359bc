/**
 * From what a user gave to what the server runs on. `ServerOptions` holds what may be given, every option optional;
 * `Settings` holds every option's value, checked, with the addresses of all listeners in one list. Whatever has passed
 * here needs no second check.
 */
import { availableParallelism } from 'node:os';
import {
  formatListenSpec,
  parseListenSpec,
  speaksTls,
  type ListenAddress,
} from '../transport/listen-spec.ts';
import { nearestName } from './nearest-name.ts';
import { OptionError, showValue } from './option-error.ts';
import { KINDS, octalMode, type KindValues } from './option-kinds.ts';
import type { OptionRow } from './option-row.ts';
import { OPTIONS, type OptionName, type OptionTable } from './options.ts';

type OptionValue<Row extends OptionRow> = Row extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : KindValues[Row['kind']];

/** What may be given to `createServer`; undefined is the same as not given. */
export type ServerOptions = {
  -readonly [Name in keyof OptionTable]?: OptionValue<OptionTable[Name]> | undefined;
};

type AddressOption = 'host' | 'port' | 'socket' | 'socketMode' | 'listen';
type ResolvedOption = 'workers' | 'reusePort';

/** Every option's value, defaults filled in. */
export type Settings = {
  readonly [Name in keyof OptionTable as Exclude<Name, AddressOption | ResolvedOption>]: OptionValue<
    OptionTable[Name]
  >;
} & {
  /** What host, port, socket, socketMode and listen come to; at least one. */
  readonly listeners: readonly ListenAddress[];
  /** Whether any of them was given; if not, they are the default one. */
  readonly choosesAddresses: boolean;
  /** How many serve: with 0 and 1 it is this process. */
  readonly workers: number;
  readonly reusePort: boolean;
};

/** What a default may depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** Processors that may be used. */
  readonly processors?: number;
}

export interface ParseOptions {
  readonly surroundings?: Surroundings;
  /** How errors call an option: `option port`, or `--port` on the command line. */
  readonly label?: (name: OptionName) => string;
}

type Given = Readonly<Record<string, unknown>>;

const ROWS: Readonly<Record<string, OptionRow>> = OPTIONS;

/** Throws an `OptionError` for the first option that cannot be used as given. */
export function parseOptions(options: ServerOptions = {}, parse: ParseOptions = {}): Settings {
  const { label = (name) => `option ${name}`, surroundings = currentSurroundings() } = parse;
  const given: Given = options;
  checkNames(given);
  for (const name of Object.keys(OPTIONS) as OptionName[]) {
    if (given[name] === undefined) continue;
    checkValue(name, given[name], label);
    checkExcludes(name, given, label);
  }
  const env = options.env ?? modeOf(surroundings);
  const settings: Record<string, unknown> = { env };
  for (const [name, row] of Object.entries(ROWS)) {
    settings[name] ??= given[name] ?? defaultOf(row, env);
  }
  checkTls(options, label);
  settings['listeners'] = listenersOf(options, label).map((address) => secured(address, options, label));
  if (options.keyFile !== undefined)
    settings['passphrase'] ??= surroundings.env['TSAGI_PASSPHRASE'] || undefined;
  settings['choosesAddresses'] = [options.host, options.port, options.socket, options.listen].some(
    (value) => value !== undefined,
  );
  settings['writeLowWatermark'] = lowWatermarkOf(options, label);
  const workers = workersOf(options, surroundings);
  settings['workers'] = workers;
  settings['reusePort'] ??= workers > 1;
  for (const name of ['host', 'port', 'socket', 'socketMode', 'listen']) delete settings[name];
  // The loop above filled in every row, and each value has passed its kind.
  return Object.freeze(settings) as unknown as Settings;
}

function currentSurroundings(): Surroundings {
  return { env: process.env, isTerminal: process.stdout.isTTY === true };
}

function defaultOf(row: OptionRow, env: string): unknown {
  return env === 'production' && 'productionDefault' in row ? row.productionDefault : row.default;
}

function modeOf({ env, isTerminal }: Surroundings): 'development' | 'production' | 'none' {
  const value = env['TSAGI_ENV'];
  if (!value) return isTerminal ? 'development' : 'production';
  const mode = OPTIONS.env.choices.find((choice) => choice === value);
  if (mode) return mode;
  const expectation = KINDS.choice.expectation(OPTIONS.env);
  const message = `the environment variable TSAGI_ENV must be ${expectation}, not ${showValue(value)}`;
  throw new OptionError(message, { option: 'env', value, expectation });
}

function checkNames(given: Given): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(OPTIONS, name)) continue;
    const nearest = nearestName(name, Object.keys(OPTIONS));
    const message = `unknown option ${name}; the nearest known one is ${nearest}`;
    throw new OptionError(message, { option: name, value: given[name], expectation: 'a known option' });
  }
}

function checkValue(name: OptionName, value: unknown, label: (name: OptionName) => string): void {
  const row = ROWS[name]!;
  const kind = KINDS[row.kind];
  if (!kind.accepts(value, row)) throw mustBe({ name, value, expectation: kind.expectation(row), label });
}

function checkExcludes(name: OptionName, given: Given, label: (name: OptionName) => string): void {
  const other = (ROWS[name]?.excludes ?? []).find((excluded) => given[excluded] !== undefined);
  if (other === undefined) return;
  const message = `${label(name)} and ${label(other as OptionName)} exclude each other: give one of them`;
  throw new OptionError(message, {
    option: name,
    value: given[name],
    expectation: `not given with ${other}`,
  });
}

function workersOf(
  { workers = OPTIONS.workers.default }: ServerOptions,
  { processors }: Surroundings,
): number {
  // Bun counts what the affinity and the quota of the cgroup leave to this process: tried with 1.4.5.
  return workers === 'auto' ? (processors ?? availableParallelism()) : workers;
}

function listenersOf(options: ServerOptions, label: (name: OptionName) => string): readonly ListenAddress[] {
  const mode = octalMode(options.socketMode);
  const withMode = (address: ListenAddress): ListenAddress =>
    mode !== undefined && address.type === 'unix' ? { ...address, mode } : address;
  if (options.socket !== undefined) return [withMode({ type: 'unix', path: options.socket })];
  const { host = OPTIONS.host.default, port = OPTIONS.port.default } = options;
  if (options.listen === undefined) return [parseListenSpec(formatListenSpec(host, port)) as ListenAddress];

  const specs = typeof options.listen === 'string' ? [options.listen] : options.listen;
  const fail = (value: unknown, expectation: string) => mustBe({ name: 'listen', value, expectation, label });
  if (specs.length === 0) throw fail(specs, 'at least one address');
  const seen = new Set<string>();
  const addresses = specs.map((spec) => {
    const address = parseListenSpec(spec);
    if (address.type === 'malformed') throw fail(spec, address.reason);
    const isPickedByKernel = address.type === 'tcp' && address.port === 0;
    const place = spec.replace(/^https?:\/\//, '');
    if (seen.has(place) && !isPickedByKernel) throw fail(spec, 'a list without repeats');
    seen.add(place);
    return withMode(address);
  });
  return addresses.map((address) => besideIPv4(address, addresses));
}

/** `::` serves IPv4 as well, so beside `0.0.0.0` with the same port it would be in use already: each gets its own family. */
function besideIPv4(address: ListenAddress, all: readonly ListenAddress[]): ListenAddress {
  if (address.type !== 'tcp' || address.host !== '::' || address.port === 0) return address;
  const isBeside = all.some(
    (other) => other.type === 'tcp' && other.host === '0.0.0.0' && other.port === address.port,
  );
  return isBeside ? { ...address, isIPv6Only: true } : address;
}

/** Options of TLS that say nothing without others: whoever gives one believes that it holds. */
function checkTls(options: ServerOptions, label: (name: OptionName) => string): void {
  const { certFile, verifyClient = 'none', caFile } = options;
  const needs = (name: OptionName, needed: string) => {
    const expectation = `given together with ${needed}`;
    throw new OptionError(`${label(name)} must be ${expectation}`, {
      option: name,
      value: options[name],
      expectation,
    });
  };
  if (certFile !== undefined && options.keyFile === undefined) needs('certFile', label('keyFile'));
  if (verifyClient !== 'none' && caFile === undefined) needs('verifyClient', label('caFile'));
  if (caFile !== undefined && verifyClient === 'none')
    needs('caFile', `${label('verifyClient')} optional or require`);
  const dependents = ['keyFile', 'passphrase', 'caFile', 'minVersion', 'ciphers'] as const;
  const idle = certFile === undefined && dependents.find((name) => options[name] !== undefined);
  if (idle) needs(idle, label('certFile'));
}

/** The address, with whether it speaks TLS. */
function secured(
  address: ListenAddress,
  { certFile, listen }: ServerOptions,
  label: (name: OptionName) => string,
): ListenAddress {
  const { isSecure: _, ...place } = address;
  const isSecure = speaksTls(address, certFile !== undefined);
  if (isSecure === false) return place;
  if (certFile !== undefined) return { ...place, isSecure } as ListenAddress;
  const message = `${label('listen')} asks for https, which needs ${label('certFile')} and ${label('keyFile')}`;
  throw new OptionError(message, { option: 'listen', value: listen, expectation: 'without https' });
}

function lowWatermarkOf(options: ServerOptions, label: (name: OptionName) => string): number {
  const high = options.writeHighWatermark ?? OPTIONS.writeHighWatermark.default;
  const low = options.writeLowWatermark ?? Math.min(OPTIONS.writeLowWatermark.default, high);
  if (low <= high) return low;
  const expectation = `at most ${label('writeHighWatermark')}, which is ${high}`;
  throw mustBe({ name: 'writeLowWatermark', value: low, expectation, label });
}

interface MustBe {
  readonly name: OptionName;
  readonly value: unknown;
  readonly expectation: string;
  readonly label: (name: OptionName) => string;
}

function mustBe({ name, value, expectation, label }: MustBe): OptionError {
  const message = `${label(name)} must be ${expectation}, not ${showValue(value)}`;
  return new OptionError(message, { option: name, value, expectation });
}
