/** Every vector for the frame guard. */
import { connectionRows } from './connection.ts';
import { floodRows } from './floods.ts';
import { flowControlRows } from './flow-control.ts';
import { headerBlockRows } from './header-blocks.ts';
import type { GuardRow } from './row.ts';
import { streamRows } from './streams.ts';

export const guardRows: readonly GuardRow[] = [
  ...connectionRows,
  ...streamRows,
  ...headerBlockRows,
  ...flowControlRows,
  ...floodRows,
];
