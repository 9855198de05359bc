/**
 * Words for an app file that fails: what went wrong, the place, the code there, and the frames that lead to it. They are
 * for the app's author, so the app's own code and frames are shown and none of the server's.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppLoadError } from './app-load-error.ts';
import { showPath } from './find-module.ts';
import { inlineText } from './inline-module.ts';

interface Place {
  readonly file: string;
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
}

/** Frames below this directory are the server's, and those of the package that runs the command are as well. */
const OWN_SOURCES = dirname(dirname(fileURLToPath(import.meta.url)));
const COMMAND_PACKAGE = '/node_modules/citty/';

const FRAME = /^\s*at (?:(.*) \()?(.+?):(\d+):(\d+)\)?$/;

/** What importing or calling `shownAs` threw, for the app's author. */
export function describeFailure(shownAs: string, thrown: unknown, cwd: string): AppLoadError {
  const error = firstSyntaxError(thrown) ?? thrown;
  const { places, frames } = placesOf(error, cwd);
  const lines = [`cannot load ${shownAs}: ${summarize(error)}`];
  const [first] = places;
  if (first) lines.push(...codeFrame(first, cwd));
  lines.push(...frames.map((frame) => `    at ${frame}`));
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined) lines.push(`  caused by ${summarize(cause)}`);
  return new AppLoadError(lines.join('\n'), { cause: thrown });
}

/** Of a file that does not parse for several reasons; the others tend to follow from the first. */
function firstSyntaxError(error: unknown): BunMessage | undefined {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return isMessageWithPosition(first) ? first : undefined;
}

function summarize(error: unknown): string {
  if (isMessageWithPosition(error)) return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return `it threw ${Bun.inspect(error)}`;
}

function placesOf(error: unknown, cwd: string): { places: Place[]; frames: string[] } {
  const place = positionOf(error) ?? importPlaceOf(error);
  if (place)
    return { places: [place], frames: [`${showPath(place.file, cwd)}:${place.line}:${place.column}`] };
  const places: Place[] = [];
  const frames: string[] = [];
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const [, name, file, row, column] = FRAME.exec(line) ?? [];
    if (!file?.startsWith('/') || file.startsWith(`${OWN_SOURCES}/`)) continue;
    if (file.includes(COMMAND_PACKAGE)) continue;
    places.push({ file, line: Number(row), column: Number(column) });
    const at = `${showPath(file, cwd)}:${row}:${column}`;
    frames.push(name ? `${name} (${at})` : at);
  }
  return { places, frames };
}

// Bun's BuildMessage (a file that does not parse) and ResolveMessage (an import that is not there) are no Errors and have
// no stack. The first tells its position, the second only who imported what.
interface BunMessage {
  readonly message: string;
  readonly position: { readonly file: string; readonly line: number; readonly column: number } | null;
  readonly specifier?: string;
  readonly referrer?: string;
}

function isMessageWithPosition(error: unknown): error is BunMessage {
  return typeof error === 'object' && error !== null && 'position' in error && 'message' in error;
}

function positionOf(error: unknown): Place | undefined {
  if (!isMessageWithPosition(error) || !error.position?.file) return undefined;
  const { file, line, column } = error.position;
  return { file, line, column };
}

function importPlaceOf(error: unknown): Place | undefined {
  if (!isMessageWithPosition(error) || !error.specifier || !error.referrer) return undefined;
  const { specifier, referrer } = error;
  const quoted = [`'${specifier}'`, `"${specifier}"`];
  for (const [index, line] of linesOf(referrer).entries()) {
    const at = quoted.map((text) => line.indexOf(text)).find((found) => found !== -1);
    if (at !== undefined) return { file: referrer, line: index + 1, column: at + 1 };
  }
  return undefined;
}

function codeFrame(place: Place, cwd: string): string[] {
  const lines = linesOf(place.file);
  if (lines[place.line - 1] === undefined) return [];
  const first = Math.max(1, place.line - 2);
  const width = String(place.line).length;
  const frame = lines
    .slice(first - 1, place.line)
    .map((text, index) => `  ${String(first + index).padStart(width)} | ${text.slice(0, 200)}`);
  return [`  ${showPath(place.file, cwd)}`, ...frame, `${' '.repeat(width + 4 + place.column)}^`];
}

function linesOf(file: string): string[] {
  try {
    return (inlineText(file) ?? readFileSync(file, 'utf8')).split(/\r?\n/);
  } catch {
    return [];
  }
}
