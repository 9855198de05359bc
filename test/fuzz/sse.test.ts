/**
 * The invariant: whatever is sent into an event stream, a client reads the same events and comments, in order, and no
 * line more, however the bytes are cut. Texts are made of what means something to a parser.
 * TSAGI_FUZZ_INPUTS says how many streams, TSAGI_FUZZ_SEED which; a failure prints the stream.
 */
import { expect, test } from 'bun:test';
import { encodeComment, encodeEvent, type EventFields } from '../../src/wire/sse.ts';
import { EventStreamParser, type ParsedEvent } from '../support/event-stream-parser.ts';
import { Random } from '../support/random.ts';

const STREAMS = Math.ceil(Number(process.env['TSAGI_FUZZ_INPUTS'] ?? 20_000) / 10);
const SEED = Number(process.env['TSAGI_FUZZ_SEED'] ?? 1);

const BREAKS = ['\n', '\r', '\r\n', '\n\n', '\r\r', '\n\r'];
const PIECES = [
  '',
  ' ',
  '  ',
  '\t',
  ':',
  ': ',
  'data: ',
  'event:',
  'id: 1',
  'retry: 5',
  'x',
  'data',
  '\0',
  '\x85',
  '\u00e9',
  '\u20ac',
  '\u{1f600}',
  '\ud83d',
  '\ude00',
  '\ufeff',
  '\u2028',
  '\u2029',
  'a'.repeat(300),
];

type Sent = { readonly fields: EventFields } | { readonly comment: string };

function text(random: Random, pieces: readonly string[]): string {
  let made = '';
  for (let count = random.below(6); count > 0; count--) made += random.pick(pieces);
  return made;
}

/** An event or a comment, faulty ones not among them: those a session refuses. */
function something(random: Random): Sent {
  const withBreaks = [...PIECES, ...BREAKS];
  if (random.oneIn(4)) return { comment: text(random, withBreaks) };
  return {
    fields: {
      data: text(random, withBreaks),
      event: random.oneIn(2) ? text(random, PIECES) : undefined,
      id: random.oneIn(2) ? text(random, PIECES).replaceAll('\0', '') : undefined,
      retry: random.oneIn(4) ? random.below(100_000) : undefined,
    },
  };
}

/** Lines as a client sees them: unpaired halves of characters cannot be sent. */
function linesOf(content: string): string[] {
  return content.toWellFormed().split(/\r\n|\n|\r/);
}

interface Expected {
  readonly events: ParsedEvent[];
  readonly comments: string[];
  lines: number;
}

function expectedOf(stream: readonly Sent[]): Expected {
  const expected: Expected = { events: [], comments: [], lines: 0 };
  let lastEventId = '';
  for (const sent of stream) {
    if ('comment' in sent) {
      const lines = linesOf(sent.comment);
      expected.comments.push(...lines.map((line) => (line === '' ? '' : ` ${line}`)));
      expected.lines += lines.length + 1;
      continue;
    }
    const { data, event, id, retry } = sent.fields;
    const lines = linesOf(data);
    lastEventId = id?.toWellFormed() ?? lastEventId;
    const type = event?.toWellFormed() ?? '';
    expected.events.push({ type: type === '' ? 'message' : type, data: lines.join('\n'), lastEventId });
    expected.lines += lines.length + 1 + [event, id, retry].filter((field) => field !== undefined).length;
  }
  return expected;
}

function* cut(bytes: Buffer, random: Random): Generator<Buffer> {
  const longest = random.pick([1, 2, 7, 100, 100_000]);
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(longest);
    yield bytes.subarray(at, end);
    at = end;
  }
}

test(`${STREAMS} streams, seed ${SEED}`, () => {
  const random = new Random(SEED);
  for (let index = 0; index < STREAMS; index++) {
    const stream = Array.from({ length: 1 + random.below(5) }, () => something(random));
    const encoded = stream
      .map((sent) => ('comment' in sent ? encodeComment(sent.comment) : encodeEvent(sent.fields)))
      .join('');
    const parser = new EventStreamParser();
    for (const piece of cut(Buffer.from(encoded, 'latin1'), random)) parser.push(piece);
    const { events, comments, lines } = expectedOf(stream);
    try {
      expect(encoded).toMatch(/^[\0-\xff]*\n\n$/);
      expect([parser.events, parser.comments, parser.lines.length]).toEqual([events, comments, lines]);
    } catch (error) {
      console.error(`stream ${index} of seed ${SEED}: ${JSON.stringify(stream)}`);
      throw error;
    }
  }
});
