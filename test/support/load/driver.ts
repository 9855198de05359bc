/**
 * A program: puts load on a server as its plan, the one argument, says. It goes on until its input ends and the requests of the plan
 * have been sent; it says on stdout when the clients that stay are attached, how far it is, and at the end its summary.
 */
import { runH1Lane } from './h1-lane.ts';
import { runH2Lane } from './h2-lane.ts';
import { Guest } from './guests.ts';
import { Ledger } from './ledger.ts';
import type { LaneKind, LoadMessage, LoadPlan, Target } from './load-plan.ts';

const say = (message: LoadMessage): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

const plan = JSON.parse(process.argv[2]!) as LoadPlan;
const ledger = new Ledger(plan.requests, (answered, failed) => say({ type: 'progress', answered, failed }));
const guests = plan.targets.flatMap((target, at) =>
  plan.guests.map((kind) => new Guest({ kind, target, lane: at, ledger })),
);

function lanesAt(target: Target): Promise<void>[] {
  const { lanes, streams } = plan;
  return (Object.entries(lanes) as [LaneKind, number][]).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, lane) =>
      kind === 'h2'
        ? runH2Lane({ target, lane, streams, ledger })
        : runH1Lane({ kind, target, lane, ledger }),
    ),
  );
}

async function waitForEndOfInput(): Promise<void> {
  for await (const _ of Bun.stdin.stream()) continue;
  ledger.stop();
}

const visits = guests.map((guest) => guest.stay());
await Promise.all(guests.map(({ attached }) => attached));
say({ type: 'attached' });
void waitForEndOfInput();
await Promise.all(plan.targets.flatMap(lanesAt));
for (const guest of guests) guest.leave();
await Promise.all(visits);
say({ type: 'summary', summary: ledger.summary() });
process.exit(0);
