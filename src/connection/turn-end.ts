/**
 * What has to leave when the sockets that were ready have all been read: the answers of one turn of the event loop are
 * written one after another at its end. That is faster than writing each between two reads, and lets a response whose
 * head and body are sent in two awaited steps leave in one write. Nothing waits long for it: a turn that takes its time,
 * because applications do, is cut into pieces.
 */

/** Something with bytes to write. */
export interface TurnMember {
  turnEnded(): void;
}

/** Members of one piece. */
const MAX_WAITING = 64;
/** Milliseconds that the first member of a piece may wait for the others, looked at whenever so many more have come. */
const MAX_WAIT = 1;
const LOOK_EVERY = 4;

let waiting: TurnMember[] = [];
let since = 0;
let isScheduled = false;

/** Tells `member` when the turn ends, or earlier. */
export function atTurnEnd(member: TurnMember): void {
  if (waiting.length % LOOK_EVERY === 0) look();
  waiting.push(member);
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endScheduledTurn);
}

function look(): void {
  const now = performance.now();
  if (waiting.length >= MAX_WAITING || (waiting.length > 0 && now - since > MAX_WAIT)) endTurn();
  if (waiting.length === 0) since = now;
}

function endScheduledTurn(): void {
  isScheduled = false;
  endTurn();
}

function endTurn(): void {
  const members = waiting;
  waiting = [];
  for (const member of members) member.turnEnded();
}
