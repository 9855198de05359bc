/**
 * A head that arrives byte by byte costs what its bytes cost, and no more: four times the bytes are four times the CPU
 * time, not sixteen times. In one long line, and in many short ones.
 */
import { RawClient } from '../../support/raw-client.ts';
import type { Finding, Part } from '../part.ts';
import { Subject } from '../subject.ts';

const CONNECTIONS = 50;
const SIZES = [4096, 8192, 16_384] as const;
/** The limit counts the field section to its last line end. */
const MARGIN = 64;
/** Milliseconds between bytes, so that each is a read of its own. */
const PACE = 0.8;
/** Of the ratio, which ought to be 4. */
const MOST_RATIO = 5;
const SHORT_LINE = 200;

type Shape = (size: number) => string;

const SHAPES: Readonly<Record<string, Shape>> = {
  'one long line': (size) => `x: ${'y'.repeat(size - 'x: \r\n'.length)}\r\n`,
  'many short lines': (size) => {
    const line = `x-line: ${'y'.repeat(SHORT_LINE - 'x-line: \r\n'.length)}\r\n`;
    return line.repeat(size / SHORT_LINE);
  },
};

export const trickle: Part = {
  name: 'trickle',
  title: `Heads that arrive byte by byte on ${CONNECTIONS} connections`,
  async run({ cores, progress }) {
    const findings: Finding[] = [];
    for (const [name, shape] of Object.entries(SHAPES)) {
      await using subject = await Subject.start(cores, '--header-timeout 0 --timeout 0');
      await measure(subject, shape(1024));
      const costs: number[] = [];
      for (const size of SIZES) {
        costs.push(await measure(subject, shape(size - MARGIN)));
        progress(`trickle: ${name}, ${size} bytes: ${costs.at(-1)!.toFixed(2)} s`);
      }
      const ratio = costs.at(-1)! / costs[0]!;
      const perByte = costs.map((cost, index) => ((cost / SIZES[index]! / CONNECTIONS) * 1e6).toFixed(2));
      findings.push(
        { what: `${name}: CPU of each byte at ${SIZES.join(', ')}`, figure: `${perByte.join(', ')} µs` },
        {
          what: `${name}: CPU at ${SIZES.at(-1)} ÷ CPU at ${SIZES[0]}`,
          figure: ratio.toFixed(2),
          bar: `≤ ${MOST_RATIO}, even: 4`,
          holds: ratio <= MOST_RATIO,
        },
      );
    }
    return findings;
  },
};

/** Seconds of CPU for a head with these fields, byte by byte on every connection. */
async function measure(subject: Subject, fields: string): Promise<number> {
  const clients: RawClient[] = [];
  for (let i = 0; i < CONNECTIONS; i++) clients.push(await RawClient.connect(subject.address));
  for (const client of clients) client.socket.setNoDelay(true);
  const head = Buffer.from(`GET / HTTP/1.1\r\nhost: a\r\n${fields}\r\n`, 'latin1');
  const cost = await subject.cpuOf(async () => {
    let next = performance.now();
    for (let at = 0; at < head.length; at++) {
      const byte = head.subarray(at, at + 1);
      for (const { socket } of clients) socket.write(byte);
      next = Math.max(next + PACE, performance.now());
      while (performance.now() < next) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const client of clients) {
      const { status } = await client.response();
      if (status !== 200) throw new Error(`a head that trickled was answered with ${status}`);
    }
  });
  for (const client of clients) client.close();
  return cost;
}
